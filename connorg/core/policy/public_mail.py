"""Domains at which anybody can get a mail address. A connected organization for one of them would
let anybody ask for access."""

PUBLIC_MAIL_DOMAINS = frozenset(
    """
    126.com 139.com 163.com 189.cn aliyun.com aol.com att.net bellsouth.net bigpond.com bluewin.ch
    bt.com btinternet.com btopenworld.com charter.net comcast.net cox.net duck.com earthlink.net
    email.com email.cz email.it fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com
    gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net gmx.us googlemail.com hanmail.net hey.com
    hotmail.be hotmail.ca hotmail.co.jp hotmail.co.uk hotmail.com hotmail.com.br hotmail.de
    hotmail.es hotmail.fr hotmail.it hotmail.nl hotmail.se icloud.com inbox.lv inbox.ru interia.pl
    juno.com kakao.com laposte.net libero.it list.ru live.be live.ca live.cn live.co.uk live.com
    live.com.au live.com.mx live.de live.dk live.fr live.it live.nl live.no live.se mac.com
    mail.com mail.de mail.ru mailbox.org mailfence.com me.com msn.com naver.com netzero.net o2.pl
    online.de onet.pl op.pl optonline.net orange.fr outlook.at outlook.be outlook.co.id
    outlook.com outlook.com.br outlook.de outlook.dk outlook.es outlook.fr outlook.ie outlook.in
    outlook.it outlook.jp outlook.pt outlook.sa passport.com pm.me posteo.de proton.me
    protonmail.ch protonmail.com qq.com rediffmail.com rocketmail.com runbox.com sapo.pt
    sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com sky.com sohu.com startmail.com
    sympatico.ca
    t-online.de talktalk.net telus.net terra.com.br tiscali.it tuta.com tuta.io tutanota.com
    tutanota.de uol.com.br verizon.net virgilio.it virginmedia.com wanadoo.fr web.de
    windowslive.com
    wp.pl xtra.co.nz ya.ru yahoo.ca yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz
    yahoo.co.th yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.cn
    yahoo.com.hk yahoo.com.mx yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn
    yahoo.de yahoo.dk yahoo.es yahoo.fr yahoo.gr yahoo.ie yahoo.in yahoo.it yahoo.nl yahoo.no
    yahoo.pl yahoo.ro yahoo.se yandex.com yandex.kz yandex.ru yandex.ua yeah.net ymail.com
    ziggo.nl zoho.com zohomail.com zohomail.eu
    """.split()  # noqa: SIM905  a list of two hundred strings reads worse
)

"""The headers of a spreadsheet of partners, as people write them: one table.

A header is compared in lower case, without spaces, signs and accents. `spellings` are as good as
the header itself. What is in `also` counts where no column has one of those.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Spellings:
    spellings: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


HEADERS: Mapping[str, Spellings] = {
    "Domain": Spellings(
        ("domainname",),
        (
            *("domains", "primarydomain", "maindomain", "partnerdomain", "partnerdomains"),
            *("companydomain", "organizationdomain", "organisationdomain", "customerdomain"),
            *("emaildomain", "maildomain", "verifieddomain", "tenantdomain", "fqdn", "dnsname"),
            *("defaultdomain", "defaultdomainname", "primarydomainname", "smtpdomain"),
            *("domane", "domanenname", "hauptdomane", "hauptdomain", "maildomane", "emaildomane"),
            *("domaine", "nomdedomaine", "domaineprincipal", "domainedemessagerie"),
            *("dominio", "nombrededominio", "dominioprincipal", "dominiodecorreo"),
        ),
    ),
    "Tenant ID": Spellings(
        ("tenant",),
        (
            *(
                "tenantguid",
                "tenantidentifier",
                "directoryid",
                "directorytenantid",
                "externaltenant",
            ),
            *("aadtenantid", "azureadtenantid", "azuretenantid", "entratenantid", "entraid"),
            *("microsofttenantid", "m365tenantid", "partnertenantid", "partnertenant"),
            *("customertenantid", "externaltenantid", "externaldirectoryid"),
            *("mandant", "mandantid", "mandantenid", "mandantenkennung", "verzeichnisid"),
            *(
                "locataire",
                "idlocataire",
                "iddulocataire",
                "identifiantdulocataire",
                "idrepertoire",
            ),
            *("inquilino", "idinquilino", "iddeinquilino", "iddelinquilino", "iddirectorio"),
        ),
    ),
    "Domain or tenant ID": Spellings(
        (
            *("domainortenant", "tenantidordomain", "tenantordomain", "domaintenant"),
            *("domaintenantid", "tenantdomainid", "tenantiddomain", "domainnameortenantid"),
            *("tenantidordomainname", "domainorid", "domainorguid", "idordomain"),
            *("partnerdomainortenantid", "tenantordomainname", "domainnameortenant"),
        ),
        (
            *("identifier", "organizationidentifier", "organisationidentifier", "partnerid"),
            *("domaneodermandantenid", "mandantenidoderdomane", "domaneodermandant"),
            *("domaineouiddulocataire", "domaineoulocataire", "domaineoutenant"),
            *("dominiooiddelinquilino", "dominiooinquilino", "dominiootenant"),
        ),
    ),
    "Website": Spellings(
        ("webaddress", "websiteurl"),
        (
            *(
                "url",
                "web",
                "homepage",
                "webpage",
                "site",
                "companywebsite",
                "companyurl",
                "weburl",
            ),
            *("webseite", "internetseite", "internetadresse", "webadresse"),
            *("siteweb", "siteinternet", "adresseweb"),
            *("sitioweb", "paginaweb", "direccionweb"),
        ),
    ),
    "Organization name": Spellings(
        ("organization", "organisation", "organisationname", "name", "displayname", "partner"),
        (
            *("company", "companyname", "partnername", "partnerorganization", "partnercompany"),
            *("connectedorganization", "connectedorganizationname", "legalname", "businessname"),
            *("vendor", "vendorname", "supplier", "suppliername", "firm", "firmname"),
            *("customer", "customername", "client", "clientname", "account", "accountname"),
            *("firma", "firmenname", "firmenbezeichnung", "unternehmen", "unternehmensname"),
            *("organisationsname", "partnerfirma", "lieferant", "lieferantenname", "kunde"),
            *("societe", "nomdelasociete", "entreprise", "nomdelentreprise", "raisonsociale"),
            *("nomdelorganisation", "partenaire", "nomdupartenaire", "fournisseur", "nom"),
            *("empresa", "nombredelaempresa", "compania", "razonsocial", "organizacion"),
            *("nombredelaorganizacion", "socio", "nombredelsocio", "proveedor", "nombre"),
        ),
    ),
    "Description": Spellings((), ("beschreibung", "descripcion")),
    "Internal sponsors": Spellings(
        ("sponsors",),
        (
            *("internalsponsor", "sponsor", "internesponsoren", "internersponsor"),
            *(
                "sponsorsinternes",
                "sponsorinterne",
                "patrocinadoresinternos",
                "patrocinadorinterno",
            ),
        ),
    ),
    "External sponsors": Spellings(
        (),
        (
            *("externalsponsor", "externesponsoren", "externersponsor"),
            *(
                "sponsorsexternes",
                "sponsorexterne",
                "patrocinadoresexternos",
                "patrocinadorexterno",
            ),
        ),
    ),
    "Reference": Spellings(
        ("ticket",),
        (
            *("ticketid", "ticketnumber", "ticketno", "referenz", "ticketnummer", "referencia"),
            *("numerodeticket",),
        ),
    ),
}


@lru_cache(maxsize=1024)  # each row of a JSON file repeats the names of its columns
def folded(header: str) -> str:
    """Return a header without case, spaces, signs and accents."""
    plain = unicodedata.normalize("NFKD", header.casefold())
    return re.sub(r"[\W_]", "", "".join(c for c in plain if not unicodedata.combining(c)))

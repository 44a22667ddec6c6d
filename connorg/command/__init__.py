"""The command for people and scripts, `connorg`. It knows the app by HTTP alone.

commands      all of them, and how the process ends
files         check, submit, export, watch, results
overview      status, failed, health, reports
onboardings   show, list, retry, cancel, forget
login         login
options       the options that several commands have, and what each command is run in
session       the app, the two outputs, and how a command is written that can be pasted
watching      watch a batch
client        the app over HTTP
connection    which app, and who calls: options, environment, profile
profile       the file that keeps a connection
sign_in       function key or Entra token
printing      tables, lines and JSON
ending        how it ends
"""

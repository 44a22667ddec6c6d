"""Every `az` command that this project writes down, heard by the Azure CLI's own parser.

__main__    collects the commands: of pages and hooks by running them, with a recorder for `az`
parse       the parser's part: runs where `azure-cli` is installed, and nothing of connorg
"""

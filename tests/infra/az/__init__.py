"""Every `az` command that this project writes down, heard and run by the Azure CLI itself.

__main__    collects the commands: of pages and hooks by running them, with a recorder for `az`
parse       the parser's part: runs where `azure-cli` is installed, and nothing of connorg
loopback    Azure on this machine, for the Azure CLI as it is (tests/infra/test_az_runs.py)
compiler    in place of the Bicep compiler, where the Azure CLI calls it
"""

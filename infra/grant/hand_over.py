"""What to send to the person who may grant the rights: complete, without a repository."""

from collections.abc import Sequence

from infra.grant.rights import AppRole, Right

TOKENS = (
    "Azure keeps the token of a managed identity for up to 24 hours, and only a new one has"
    " what was granted since: until then Graph may still refuse."
)


def hand_over(principal_id: str, name: str, rights: Sequence[Right], graph_root: str) -> str:
    """Say who must do it, what it does, and the commands. They may be run twice."""
    givers = " and ".join(sorted({right.giver for right in rights}))
    given = "\n".join(f"  - {right.name}: {right.does}" for right in rights)
    commands = "\n\n".join(_command(principal_id, right, graph_root) for right in rights)
    return f"""\
----- send this on -----
The identity {name} (object id {principal_id}) needs in Microsoft Entra:
{given}

To grant it you need the role {givers}, active, not only eligible.
Sign in with `az login` in the identity's tenant (not needed in Azure Cloud Shell), and run in bash:

{commands}

"already exists" or "conflicting object" means that it was granted before: all is well.
To see it: Entra admin center > Enterprise applications > All applications > {name}
(application type: managed identities) > Permissions, and > Roles and administrators.
{TOKENS}
----- up to here -----"""


def _command(principal_id: str, right: Right, graph_root: str) -> str:
    post = "az rest --method POST --headers content-type=application/json"
    if not isinstance(right, AppRole):
        return (
            f"{post} --url {graph_root}/v1.0/roleManagement/directory/roleAssignments --body"
            f' \'{{"principalId": "{principal_id}", "roleDefinitionId": "{right.template_id}",'
            ' "directoryScopeId": "/"}\''
        )
    shown = f"az ad sp show --id {right.resource} --output tsv --query"
    return (
        f"resource=$({shown} id)\n"
        f"role=$({shown} \"appRoles[?value=='{right.value}'].id\")\n"
        f"{post} --url {graph_root}/v1.0/servicePrincipals/{principal_id}/appRoleAssignments --body"
        f' "{{\\"principalId\\": \\"{principal_id}\\", \\"resourceId\\": \\"$resource\\",'
        ' \\"appRoleId\\": \\"$role\\"}"'
    )

"""What access refuses, in words a user can act on."""

from wanjia.kernel.errors import WanjiaError


class RightMissing(WanjiaError):
    """The account's role does not hold the right that the page or verb asks for."""

    code = "ACCESS-001"
    zh = "您的角色（{role}）没有“{right}”的权限。如工作需要，请向管理员申请。"
    en = "Your role ({role}) does not hold the right “{right}”. If your work needs it, ask an administrator."


class OutsideArea(WanjiaError):
    """No policy lets this account reach this record: another area, or nobody of that id. The two are not told apart."""

    code = "ACCESS-002"
    zh = "该编号不在您可查阅的范围内（负责区划：{area}）。请核对编号，或联系所属区划的登记机关。"
    en = "This id is not within your reach (your area: {area}). Check it, or contact the registration office of the division."


class AccountNameTaken(WanjiaError):
    """An account of that name exists already."""

    code = "ACCESS-003"
    zh = "账号 {username} 已存在。请换一个名称。"
    en = "An account named {username} exists already. Choose another name."


class RoleUnknown(WanjiaError):
    """No such role is declared."""

    code = "ACCESS-004"
    zh = "没有声明角色 {role}{near_zh}。"
    en = "No role {role!r} is declared{near_en}."
    exit_code = 2


class AccountUnknown(WanjiaError):
    """No account of that name is open."""

    code = "ACCESS-005"
    zh = "没有名为 {username} 的账号。"
    en = "No account is named {username}."
    exit_code = 2


class BindingRefused(WanjiaError):
    """Only a resident's account stands for a person, and for each person there is one."""

    code = "ACCESS-006"
    zh = "账号 {username} 不能绑定：只有居民账号可以绑定，且一人一个账号。"
    en = "Account {username} cannot be bound: only a resident's account can, and a person has one."
    exit_code = 2


class PurposeUnknown(WanjiaError):
    """The purpose is not declared, or not for this role."""

    code = "ACCESS-007"
    zh = "没有声明用途“{purpose}”，或您的角色不能使用。请从列表中选择。"
    en = "The purpose {purpose!r} is not declared, or not for your role. Choose one from the list."
    exit_code = 2


class GrantRefused(WanjiaError):
    """A grant was asked for that the rules do not allow."""

    code = "ACCESS-008"
    zh = "不能授权：{reason_zh}。"
    en = "This cannot be granted: {reason_en}."
    exit_code = 2


class NotGranted(WanjiaError):
    """There is no such grant in force."""

    code = "ACCESS-009"
    zh = "没有该授权，或已失效。"
    en = "There is no such grant, or it has ended."
    exit_code = 2


class ClientRefused(WanjiaError):
    """A machine showed a wrong name or secret, or its right has ended."""

    code = "ACCESS-010"
    zh = "客户端编号或密钥不符，或已停用。"
    en = "The client's id and secret do not match, or it has been closed."


class NoOwnPerson(WanjiaError):
    """A resident's account stands for nobody yet."""

    code = "ACCESS-011"
    zh = "您的账号还没有与登记档案绑定。请携带身份证件到登记窗口办理实名绑定。"
    en = "Your account does not stand for a record yet. Bring your identity document to a registration office to have it bound."

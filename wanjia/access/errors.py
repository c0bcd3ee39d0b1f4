"""What access refuses, in words a user can act on."""

from wanjia.kernel.errors import WanjiaError


class RightMissing(WanjiaError):
    """The account's role does not hold the right that the page or verb asks for."""

    code = "ACCESS-001"
    zh = "您的角色（{role}）没有“{right}”的权限。如工作需要，请向管理员申请。"
    en = "Your role ({role}) does not hold the right “{right}”. If your work needs it, ask an administrator."


class OutsideArea(WanjiaError):
    """The record belongs to a division that the account's area does not cover."""

    code = "ACCESS-002"
    zh = "该记录不在您负责的区划（{area}）内。请联系所属区划的登记机关。"
    en = "This record lies outside your area ({area}). Contact the registration office of its division."


class AccountNameTaken(WanjiaError):
    """An account of that name exists already."""

    code = "ACCESS-003"
    zh = "账号 {username} 已存在。请换一个名称。"
    en = "An account named {username} exists already. Choose another name."

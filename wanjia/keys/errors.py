"""Errors of keys."""

from wanjia.kernel.errors import WanjiaError


class KeyUnknown(WanjiaError):
    """There is no such key, or no such purpose."""

    code = "KEYS-001"
    zh = "没有名为 {key} 的密钥或用途。请用 wanjia keys list 查看。"
    en = "There is no key or purpose called {key}. See 'wanjia keys list'."
    exit_code = 2


class KeyInForce(WanjiaError):
    """A key that seals now cannot be destroyed."""

    code = "KEYS-002"
    zh = "密钥 {key} 正在使用。请先轮换（wanjia keys rotate），再重加密。"
    en = "The key {key} is in force. Rotate it first (wanjia keys rotate), then re-encrypt."
    exit_code = 2


class KeyStillNeeded(WanjiaError):
    """Something is still under the key, so destroying it would lose content."""

    code = "KEYS-003"
    zh = "密钥 {key} 之下仍有 {count} 项内容（{where}）。请先运行 wanjia keys reencrypt。"
    en = "{count} values are still under the key {key} ({where}). Run 'wanjia keys reencrypt' first."


class KeyTooYoung(WanjiaError):
    """The key was replaced so recently that somebody may still be writing with it."""

    code = "KEYS-004"
    zh = "密钥 {key} 仍可能有写入尚未结束（{reason}）。请在 {seconds} 秒后再试。"
    en = "Somebody may still be writing with the key {key} ({reason}). Try again in {seconds} seconds."


class CertificateUnknown(WanjiaError):
    """There is no certificate of that number."""

    code = "KEYS-005"
    zh = "没有编号为 {number} 的销毁证明。"
    en = "There is no erasure certificate number {number}."
    exit_code = 2


class ChainMissing(WanjiaError):
    """The key that signs has no certificate, or its certificate has ended."""

    code = "KEYS-006"
    zh = "用途 {purpose} 的签名密钥没有有效证书。请安全管理员运行 wanjia keys chain --request 向证书机构申请，或用 --test 生成测试证书链。"
    en = (
        "The signing key for {purpose} has no certificate in force. The security administrator asks an authority for one"
        " (wanjia keys chain --request), or makes a test chain (--test)."
    )


class ChainUnfit(WanjiaError):
    """A chain of certificates does not fit the key, is not in order, or is not in force."""

    code = "KEYS-007"
    zh = "证书链不能使用：{reason}。请核对后重新安装。"
    en = "The chain of certificates cannot be used: {reason}. Check it and install it again."
    exit_code = 2

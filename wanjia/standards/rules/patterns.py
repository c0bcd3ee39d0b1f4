"""How written values are taken apart: the patterns and tables that the engine's expressions (bulk/) and the reading of one text (typed.py) share."""

# ---- any text: full-width forms U+FF01-FF5E are the half-width ones plus 0xFEE0; other spaces become a space, invisible characters vanish
WIDE = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "　\u00a0\u2002\u2003\u2009\u202f\t\r\n"
NARROW = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " " * 9
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"

# ---- names: unified ideographs, extensions A to J, compatibility ideographs, the zero of names
HAN = "一-鿿㐀-䶿\U00020000-\U000323af豈-﫿〇"
DOTS = "•・‧．∙●⋅･"
LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"

# ---- identity numbers (GB 11643-1999)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
PLAIN_NUMBER = "^[0-9]{17}[0-9X]$"
BORN_BEFORE_1900 = "^99[6-9]$"
OLDEST_YEAR, LATEST_YEAR = 1850, 2100

# ---- addresses
TRADITIONAL, SIMPLE = "號樓棟區縣鎮鄉國東門灣園廣場單層車頭廠莊橋", "号楼栋区县镇乡国东门湾园广场单层车头厂庄桥"
DASHES, HYPHENS = "－—–―~_", "-" * 6
_COUNTED = "[0-9A-Za-z一二三四五六七八九十]"
BUILDING = f"({_COUNTED}{{1,5}})(?:号楼|栋|幢|座|#楼|#)"
UNIT = f"({_COUNTED}{{1,3}})(?:单元|门洞)"
ROOM = "([0-9]{1,5}[A-Za-z]?|[A-Za-z][0-9]{1,5})(?:室|号房|房|户)?$"
DASHED = "^(?:([0-9]{1,3})-)?([0-9]{1,3})-([0-9]{1,5}[A-Za-z]?)(?:室|号房|房|户)?$"
# the place ends where a building, a unit, a dashed group or a room begins: from there to the end. What is wanted is the whole match and no
# group of it, which a linear matcher finds many times faster
TAIL = (
    f"(?:(?:{_COUNTED}{{1,5}}(?:号楼|栋|幢|座|#楼|#)|{_COUNTED}{{1,3}}(?:单元|门洞)).*"
    "|(?:[0-9]{1,3}-)?[0-9]{1,3}-[0-9]{1,5}[A-Za-z]?(?:室|号房|房|户)?"
    "|[0-9]{1,5}[A-Za-z]?(?:室|号房|房|户)|[A-Za-z][0-9]{1,5}(?:室|号房|房|户))$"
)
# a tail that begins with no character of a name and holds none by which divisions are told: what stands before it is understood without it
APART = "^[0-9A-Za-z][^省市区县旗州盟街镇乡苏社村]*$"
TOWN = "^(.{1,10}?(?:街道|镇|乡|苏木))(?:办事处)?([^路街巷道大]|$)"
VILLAGE = "^(.{1,14}?(?:社区|村))(?:居民委员会|村民委员会|居委会|村委会|委会)?([^路街巷道大]|$)"
OFFICE = "^(?:办事处|居民委员会|村民委员会|居委会|村委会|委会)"
HAS_ROAD = "[路街巷弄道]|胡同|大院|里[0-9]"
HEAD = "^(.*[省市区县旗州盟])"
UNCLEAN = f"[！-～ \u00a0\u2002-\u200f\u202f\u2060\ufeff\u00ad\t\r\n　,，、;；。{TRADITIONAL}{DASHES}]"
DIGIT_HAN, DIGITS = "一二三四五六七八九", "123456789"

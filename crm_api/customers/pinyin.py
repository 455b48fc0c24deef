"""Pinyin of names: what people type who do not switch their keyboard to Chinese."""

from functools import lru_cache

from pypinyin import Style, pinyin

#: Characters that are read differently as a family name.
_FAMILY_NAMES = {
    "曾": "zeng",
    "单": "shan",
    "仇": "qiu",
    "解": "xie",
    "区": "ou",
    "查": "zha",
    "任": "ren",
    "华": "hua",
    "盖": "ge",
    "朴": "piao",
    "缪": "miao",
    "翟": "zhai",
    "乐": "yue",
    "种": "chong",
    "召": "shao",
    "尉": "wei",
    "薄": "bo",
    "黑": "he",
    "秘": "bi",
    "覃": "qin",
    "员": "yun",
    "纪": "ji",
    "折": "she",
    "牟": "mu",
    "洗": "xian",
    "万": "wan",
    "長": "zhang",
}


@lru_cache(maxsize=30_000)
def _syllable(character: str) -> str:
    read: str = pinyin(character, style=Style.NORMAL, errors="default")[0][0]
    plain = read.lower().replace("ü", "v")
    return plain if plain.isascii() and plain.isalnum() else ""


def syllables(name: str) -> list[str]:
    """The pinyin of each character of `name`; Latin letters and digits stand for themselves."""
    found = [_syllable(character) for character in name]
    if name and name[0] in _FAMILY_NAMES:
        found[0] = _FAMILY_NAMES[name[0]]
    return [syllable for syllable in found if syllable]


def search_forms(name: str) -> tuple[str, str]:
    """(initials, whole pinyin) of `name`: 张伟 gives ("zw", "zhangwei")."""
    parts = syllables(name)
    return "".join(part[0] for part in parts)[:100], "".join(parts)[:400]

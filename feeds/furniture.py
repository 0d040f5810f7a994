"""Lines that stand in an article and are not of it: its own title, dates, pleas, related links.

Judges lines by their words and their place, whoever found them; where they stand in the page is
the business of the readers. Lines are dropped whole, and only where a reader would not miss them.
"""

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’»)\]]*$")


def _any_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives), re.IGNORECASE)


# A short line that starts so ends the article: what follows is for the next click.
_END = _any_of(
    r"(?:related|similar|recommended|popular|trending|latest|recent|further|more|other)"
    r" (?:articles?|stories|story|posts?|news|reads?|reading|content|coverage|links|topics|videos?|resources)\b",
    r"(?:read|see|watch|explore|discover) (?:this )?(?:more|next|also)\W*$",
    r"(?:read|see) (?:more|also)\b.{0,30}[:>»]?$",
    r"(?:you (?:may|might|could) (?:also|be)|we (?:also )?recommend|recommended (?:for you|by)|don.t miss\b)",
    r"(?:more|latest) (?:from|on|in|about)\b.{0,40}$",
    r"what to read next|up next|most (?:read|popular|viewed)|editor.?s.? picks?|in case you missed it",
    r"about the (?:author|writer)s?\W*$|(?:leave|post|write|add) a (?:comment|reply)|(?:\d+ )?comments?(?: \(?\d+\)?)?\W*$",
    r"(?:share|like) (?:this|on)\b.{0,30}$|share\W*$|follow us\b.{0,40}$|(?:filed under|tags?|topics)\W*(?::.*)?$",
    r"(?:references|bibliography|works cited|citations|sources|footnotes)\W*$",
    r"(?:get|receive|join|subscribe|sign up)\b.{0,60}\b(?:newsletters?|inbox|mailing list|updates|e-?mails?)\b",
    r"(?:das könnte (?:sie|dich)|mehr zum thema|weitere artikel|lesen sie (?:auch|mehr)|verwandte|meistgelesen|zur startseite)\b",
    r"(?:à lire (?:aussi|également)|lire aussi|sur le même (?:sujet|thème)|articles? (?:liés|similaires)|les plus lus)\b",
    r"(?:lee también|te puede interesar|más (?:noticias|información|sobre)|noticias relacionadas|lo más (?:leído|visto)|artículos relacionados)\b",
    r"(?:leggi anche|potrebbe(?:ro)? interessarti|articoli correlati|i più letti|ultime notizie)\b",
    r"(?:lees ook|lees meer|meer over|gerelateerde? artikelen|meest gelezen)\b",
    r"(?:zobacz (?:też|także|również)|czytaj (?:też|także|również|więcej)|powiązane artykuły|najczęściej czytane)\b",
    r"(?:leia (?:também|mais)|veja (?:também|mais)|notícias relacionadas|mais lidas|saiba mais)\b",
    r"(?:читайте также|читать также|по теме|похожие (?:статьи|новости)|материалы по теме|самое читаемое)\b",
    r"(?:xem thêm|đọc thêm|tin liên quan|bài liên quan|tin (?:cùng chuyên mục|khác|mới)|có thể bạn quan tâm)\b",
    r"関連(?:記事|ニュース)|おすすめ|相关(?:阅读|新闻|文章)|延伸阅读|관련 ?(?:기사|뉴스)",
)

# A line that is furniture wherever it stands.
_PLEA = _any_of(
    r"^(?:advertisement|sponsored(?: content)?|anzeige|werbung|publicité|publicidad|pubblicità|advertentie|reklama|реклама|quảng cáo|広告)\W*$",
    r"^(?:share|tweet|print|e-?mail|copy link|listen|save|comments?|menu|search|close|skip to .*|back to top|loading)\W*$",
    r"^share (?:this|on|via)\b",
    r"^(?:table of contents|contents|in this article|on this page|jump to(?: section)?|inhaltsverzeichnis|sommaire|índice|indice)\W*$",
    r"\ball rights reserved\b|^(?:©|\(c\)|copyright\b)|\balle rechte vorbehalten\b|\btous droits réservés\b|\btodos (?:los|os) (?:derechos|direitos) reservados\b|\btutti i diritti riservati\b|\bвсе права защищены\b",
    r"(?:subscribe|sign up|register)\b.{0,60}\b(?:newsletters?|inbox|mailing list|free (?:e-?mail|weekly|daily))",
    r"\b(?:newsletter|inbox)\b.{0,40}\b(?:subscribe|sign up|sign-up)\b|\b(?:delivered|straight|directly) to your inbox\b",
    r"^(?:melden sie sich|jetzt (?:abonnieren|newsletter)|abonnieren sie|newsletter abonnieren)\b",
    r"^(?:abonnez-vous|inscrivez-vous|recevez (?:notre|nos))\b|^(?:suscríbete|suscríbase|apúntate|recibe (?:nuestr|las))",
    r"^(?:iscriviti|ricevi (?:le|la)|abbonati)\b|^(?:schrijf je in|meld je aan|ontvang (?:onze|de))\b",
    r"^(?:zapisz się|zasubskrybuj)\b|^(?:assine|inscreva-se|receba (?:as|nossa|o))\b|^подпи(?:шитесь|сывайтесь)\b|^(?:đăng ký nhận)\b",
    r"^\W*(?:related|read (?:more|also|next)|see also|also read|watch|listen|more)\s?(?::|»|>>)|^\[\s?(?:read|related|watch|see)\b.*\]$",
    r"^(?:mehr dazu|lesen sie auch|lire aussi|à lire aussi|lee también|leggi anche|lees ook|czytaj (?:też|także|również)|leia também|veja também|читайте также|xem thêm)\W*(?::|»|\|)",
    r"^(?:follow|like|find|join) us on\b|^follow .{2,40} on (?:twitter|x|facebook|instagram|linkedin|google news)\b",
    r"^this (?:article|post|page|site) (?:may )?contains? affiliate links\b|\bwe may (?:earn|receive) (?:a|an) (?:\w+ )?commission\b",
    r"^(?:last )?updated(?: on)?\b.{0,40}\d{4}\W*$|^published(?: on)?\b.{0,40}\d{4}\W*$|^\d+ min(?:ute)?s?(?: read)?\W*$",
    r"\b(?:this (?:website|site) uses|we use) cookies\b",
)  # fmt: skip

_DATE_LINE = _any_of(
    r"^\W*(?:(?:published|posted|updated|last updated|first published|on)\W*)*(?:\w{3,9}\W+)?\d{1,2}(?:st|nd|rd|th)?\W{1,2}(?:\w{3,9}|\d{1,2})\.?\W{1,2}\d{2,4}\b.{0,40}$",
    r"^\W*(?:(?:published|posted|updated|last updated|on)\W*)*(?:\w{3,9},? )?[a-zäéûç]{3,9}\.? \d{1,2},? \d{4}\b.{0,40}$",
    r"^\W*\d{4}-\d\d-\d\d\b.{0,30}$",
)
_BYLINE = re.compile(
    r"^\W*(?i:by|von|par|por|di|da|door|autor(?:zy)?|автор|text|words by|written by|posted by|reviewed by"
    r"|medically reviewed by|edited by|tác giả|redakcja|author|authors)\b\W*(?!the\b|a\b|an\b)\w"
)
_SHORT = 14
_END_HEADING_WORDS = 10
_BODY = 0.7


def words(text: str) -> list[str]:
    """The words of a text, lower-cased: letters and digits in any script."""
    return _WORD.findall(text.lower())


def is_plea(line: str) -> bool:
    """Whether a line is an advertisement mark, a share button's name, a plea or a legal notice."""
    return len(line) < 250 and bool(_PLEA.search(line))


def is_byline(line: str) -> bool:
    """Whether a short line only names who wrote it, or when."""
    if len(words(line)) > _SHORT or _SENTENCE_END.search(line):
        return False
    return bool(_BYLINE.match(line) or _DATE_LINE.match(line))


def ends_article(line: str) -> bool:
    """Whether a line is a heading over related links, comments, an author's box or a form."""
    return len(words(line)) <= _END_HEADING_WORDS and bool(_END.match(line.lstrip(" \t•·-–—>#*[")))


def same_words(left: str, right: str) -> bool:
    """Whether two lines are equal but for case, punctuation and an outlet's name at one's end."""
    a, b = words(left), words(right)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return short == long or (len(short) >= 4 and long[: len(short)] == short and len(long) - len(short) <= 4)


def body_lines(lines: Sequence[str], titles: Sequence[str]) -> list[int]:
    """Which lines are the article's, as positions; ``titles`` are what the article is called."""
    sizes = [len(words(line)) for line in lines]
    start = _after_title(lines, sizes, titles)
    end = _before_furniture(lines, sizes, start)
    kept = []
    for position in range(start, end):
        line = lines[position]
        if is_plea(line) or (position - start < 6 and is_byline(line)):
            continue
        if position - start < 3 and any(same_words(line, title) for title in titles):
            continue
        kept.append(position)
    return kept


def _after_title(lines: Sequence[str], sizes: Sequence[int], titles: Sequence[str]) -> int:
    """The first line after the title, where little but furniture can stand before it."""
    passed = 0
    for position, line in enumerate(lines):
        if any(same_words(line, title) for title in titles):
            return position + 1
        passed += sizes[position]
        if passed > 50 or sizes[position] > 25:
            break
    return 0


def _before_furniture(lines: Sequence[str], sizes: Sequence[int], start: int) -> int:
    """The first line of the tail: a heading over other things, in the second half."""
    total, passed = sum(sizes[start:]), 0
    for position in range(start, len(lines)):
        if passed >= _BODY * total and ends_article(lines[position]):
            return position
        passed += sizes[position]
    return len(lines)

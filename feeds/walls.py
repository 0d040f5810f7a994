"""What stands in an article's way: consent, bot checks, paywalls, error pages, videos, scripts.

Such pages come back from any extractor as if they were articles. A verdict is a kind and the sign
it rests on, in words; None is a real article. Nothing here knows how the page was fetched: the
final address is a sign among others.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from feeds.furniture import words

CONSENT, CHALLENGE, PAYWALL = "consent", "challenge", "paywall"
NOT_FOUND, VIDEO, SCRIPT = "not_found", "video", "script"
REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Wall:
    """What stood in the way, and how it was recognised, for people."""

    kind: str
    sign: str


@dataclass(frozen=True, slots=True)
class PageSigns:
    """What a page's markup says before anything is taken out of it.

    ``scripts`` and ``visible`` are characters: of programs, and of everything a reader would see.
    ``players`` counts video and embedded players; ``asides`` are classes and ids that name a wall.
    """

    scripts: int = 0
    visible: int = 0
    players: int = 0
    noscript: str = ""
    walled: str | None = None


def _any_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_CONSENT_HOST = re.compile(r"^(?:consent|myprivacy|cmp|privacy|cookies?)\.|\bconsent\.(?:google|youtube|yahoo)\.|^guce\.")
_CONSENT_PATH = re.compile(r"/(?:consent|privacy-(?:gate|wall)|cookie-?(?:wall|consent))(?:/|$|\.)", re.IGNORECASE)
_CHALLENGE_PATH = re.compile(r"/(?:cdn-cgi/challenge|_incapsula|captcha|px/captcha|distil_)", re.IGNORECASE)
_LOGIN_PATH = re.compile(r"/(?:log-?in|sign-?in|subscribe|abo|paywall|register|anmelden|connexion)(?:/|$|\.|\?)", re.IGNORECASE)
_MISSING_PATH = re.compile(r"/(?:404|not-?found|page-not-found|error)(?:/|$|\.(?:html?|php|aspx?))", re.IGNORECASE)

_CONSENT = _any_of(
    r"\b(?:we|our partners|we and our (?:\w+ )?partners) (?:use|store|process|access|and our).{0,80}\bcookies?\b",
    r"\b(?:accept|manage|reject|allow) (?:all )?(?:cookies|consent|your privacy)\b|\byour privacy (?:choices|matters|is important)\b",
    r"\bbefore you continue to\b|\bcookie (?:policy|preferences|settings|notice|consent)\b|\bpersonali[sz]ed (?:ads|advertising) and content\b",
    r"\bwir (?:und unsere \w+ )?(?:verwenden|benötigen|brauchen).{0,60}(?:cookies|zustimmung|einwilligung)|\balle(?:n)? (?:cookies )?(?:akzeptieren|zustimmen)\b|\bmit werbung (?:weiter|und cookies)|\bcookie-einstellungen",
    r"\b(?:nous et nos partenaires|nous utilisons des cookies|accepter (?:et fermer|les cookies|et continuer)|continuer sans accepter|gérer (?:mes|vos) (?:choix|cookies)|votre vie privée)\b",
    r"\b(?:nosotros y nuestros (?:\w+ )?socios|(?:utilizamos|usamos) cookies|aceptar (?:y continuar|todas? las cookies|cookies)|política de cookies|su privacidad)\b",
    r"\b(?:noi e i nostri (?:\w+ )?partner|utilizziamo (?:i )?cookie|accetta(?:re)? (?:tutti i cookie|e continua|tutto)|la (?:tua|vostra) privacy|informativa sui cookie)\b",
    r"\b(?:wij en onze partners|wij gebruiken cookies|(?:alle )?cookies (?:accepteren|toestaan)|akkoord (?:gaan|en doorgaan)|cookie-?(?:instellingen|voorkeuren|beleid))\b",
    r"\b(?:my i nasi partnerzy|używamy (?:plików )?cookie|plik(?:i|ów) cookies?|akceptuj[eę]? (?:wszystkie|i przejdź)|szanujemy (?:twoją|państwa) prywatność|ustawienia (?:prywatności|cookies))\b",
    r"\b(?:nós e os nossos parceiros|(?:utilizamos|usamos) cookies|aceitar (?:todos|e continuar|cookies)|política de cookies|a sua privacidade)\b",
    r"(?:мы используем (?:файлы )?cookie|файл(?:ы|ов) cookie|принять (?:все )?(?:cookie|файлы)|согласие на обработку)",
    r"(?:chúng tôi (?:và các đối tác )?sử dụng cookie|chấp nhận (?:tất cả )?cookie|chính sách cookie|quyền riêng tư của bạn)",
)  # fmt: skip
_CHALLENGE = _any_of(
    r"\b(?:checking (?:if the site connection is secure|your browser)|just a moment|verify(?:ing)? (?:that )?you are (?:a )?human|are you a robot|i.?m not a robot)\b",
    r"\b(?:complete the (?:security check|captcha)|enable javascript and cookies to continue|unusual (?:traffic|activity) from your|ddos protection by|performance (?:&|and) security by cloudflare|ray id\b|access (?:to this page has been )?denied|request unsuccessful\. incapsula|pardon our interruption|attention required! \| cloudflare)",
    r"\b(?:press (?:&|and) hold|bot (?:detection|protection)|automated (?:access|requests|queries)|please (?:solve|complete) (?:this|the) captcha)\b",
    r"\b(?:sind sie ein (?:mensch|roboter)|sicherheitsüberprüfung|ihr browser wird überprüft|ungewöhnliche aktivität|zugriff verweigert)\b",
    r"\b(?:vérification (?:de sécurité|que vous êtes humain)|êtes-vous un robot|accès (?:refusé|interdit)|je ne suis pas un robot)\b",
    r"\b(?:verifi(?:car|que|ca) que (?:no )?(?:eres|es|é) (?:un )?(?:humano|robot)|no soy un robot|acceso denegado|comprobando (?:su|tu) navegador)\b",
    r"\b(?:verifica (?:di sicurezza|che tu sia umano)|non sono un robot|accesso negato)\b",
    r"\b(?:ben (?:je|u) een (?:mens|robot)|ik ben geen robot|toegang geweigerd|even geduld.{0,30}controleren)\b",
    r"\b(?:nie jestem robotem|sprawdzanie (?:twojej )?przeglądarki|odmowa dostępu|zweryfikuj, że jesteś człowiekiem)\b",
    r"\b(?:não sou um robô|acesso negado|verificando (?:o )?seu navegador|confirme que (?:é|você é) humano)\b",
    r"(?:я не робот|вы не робот|проверка (?:браузера|безопасности)|доступ (?:запрещ[её]н|ограничен)|подтвердите, что вы)",
    r"(?:tôi không phải (?:là )?(?:người máy|robot)|xác minh (?:bạn là|rằng bạn là) (?:con )?người|truy cập bị từ chối|đang kiểm tra trình duyệt)",
)  # fmt: skip
_PAYWALL = _any_of(
    r"\b(?:subscribe|sign in|log in|register)(?: now| today)?(?: or \w+(?: \w+)?)? (?:to (?:continue|keep|read|unlock|access|view)|for (?:full|unlimited) access)\b",
    r"\b(?:this (?:article|story|content|page) is (?:only )?(?:for|available (?:only )?to|exclusive to|reserved for) (?:\w+ ){0,3}(?:subscribers|members)|already (?:a )?(?:subscriber|have an account|registered)|unlock this (?:article|story)|to (?:continue|keep) reading|remaining free articles|you(?:.ve| have) reached your (?:\w+ )?(?:limit|free)|subscriber.?(?:only|exclusive)|members?.only (?:content|article|story))\b",
    r"\b(?:jetzt (?:weiterlesen|abonnieren|testen)|(?:weiterlesen|lesen sie weiter) mit|diese[rn]? (?:artikel|inhalt|text) ist (?:\w+ )?(?:nur )?(?:für|exklusiv)|exklusiv für abonnent|sie haben bereits ein abo|bereits abonnent|probemonat|um (?:den|diesen) (?:ganzen |vollständigen )?artikel (?:zu lesen|weiter))",
    r"\b(?:(?:cet |l.)article (?:est )?réservé (?:à|aux)|il vous reste .{0,12}% (?:de cet article )?à (?:lire|découvrir)|la suite est réservée|déjà abonné|abonnez-vous (?:pour|à partir)|pour (?:lire la suite|continuer (?:la|votre) lecture)|contenu réservé aux abonnés)",
    r"\b(?:(?:contenido|artículo|noticia) (?:exclusiv[oa]|reservad[oa]|solo) para (?:\w+ )?(?:suscriptores|socios)|suscríb(?:ete|ase) para (?:seguir|continuar|leer)|para (?:seguir|continuar) leyendo|¿ya (?:eres|es) suscriptor|inicia sesión para (?:seguir|continuar|leer))",
    r"\b(?:(?:contenuto|articolo) (?:riservato|esclusivo|disponibile solo) (?:agli|per gli) abbonati|abbonati (?:per|ora) (?:continuare|leggere|a)|per continuare a leggere|sei già abbonato|questo (?:contenuto|articolo) è riservato)",
    r"\b(?:(?:dit artikel|deze inhoud) is (?:alleen|exclusief|uitsluitend) (?:voor|beschikbaar|te lezen)|verder lezen\?|alleen voor abonnees|al abonnee|word (?:abonnee|lid) om|log in om (?:verder|dit)|om (?:dit artikel |verder )te lezen)",
    r"\b(?:(?:artykuł|treść|materiał) (?:jest )?(?:dostępn[ya]|przeznaczon[ya]) (?:tylko|wyłącznie)? ?dla (?:\w+ )?(?:prenumeratorów|subskrybentów|zalogowanych)|dostęp (?:tylko )?dla (?:prenumeratorów|subskrybentów)|aby (?:czytać dalej|przeczytać (?:cały|całość))|masz już (?:prenumeratę|subskrypcję)|wykup (?:dostęp|prenumeratę|subskrypcję))",
    r"\b(?:(?:conteúdo|artigo|matéria|reportagem) (?:exclusiv[oa]|reservad[oa]|só) (?:para|a) (?:\w+ )?assinantes|assine (?:para|e) (?:continuar|ler|leia|tenha)|para continuar (?:lendo|a ler)|já é assinante|faça login para (?:continuar|ler))",
    r"(?:(?:материал|статья|текст) (?:доступ[а-я]+|только) (?:только )?(?:для )?(?:по )?подпис|чтобы (?:читать дальше|прочитать (?:полностью|целиком)|продолжить чтение)|оформите подписку|только для подписчиков|уже (?:есть подписка|подписаны))",
    r"(?:(?:bài viết|nội dung) (?:này )?(?:chỉ )?dành (?:riêng )?cho (?:\w+ )?(?:thành viên|độc giả|người (?:đăng ký|đọc trả phí))|đăng (?:nhập|ký) để (?:đọc tiếp|tiếp tục|xem)|để đọc (?:tiếp|toàn bộ))",
)  # fmt: skip
_NOT_FOUND = _any_of(
    r"^\W*(?:error )?(?:404|410)\b|\b(?:error|http) 404\b|\b404 (?:error|not found|page)\b|\b(?:page|article|story|content) (?:was |is |could )?(?:not|no longer|cannot|can.t) (?:be )?(?:found|available|exists?)\b",
    r"\b(?:page|article|story) not found\b|\bthe (?:page|article|story) (?:you.{0,30}(?:looking for|requested)|cannot be found|does(?:n.t| not) exist|has (?:been )?(?:removed|moved|expired))|\bwe can.?t (?:seem to )?find (?:that|the) page\b|\boops!.{0,40}(?:wrong|found|missing)|\bsomething went wrong\b",
    r"\b(?:seite (?:wurde )?(?:leider )?nicht (?:gefunden|verfügbar|mehr)|artikel (?:ist |wurde )?nicht (?:mehr )?(?:gefunden|verfügbar)|die (?:von ihnen )?(?:gesuchte|angeforderte) seite)",
    r"\b(?:page (?:introuvable|non trouvée)|(?:cette|la) page (?:que vous (?:cherchez|demandez|recherchez)|n.existe (?:pas|plus)|est introuvable)|contenu (?:introuvable|n.est plus disponible))",
    r"\b(?:página no (?:encontrada|existe|disponible)|(?:la|esta) página (?:que (?:busca|buscas|intenta|has solicitado)|no (?:existe|se encuentra|está disponible))|no (?:se ha encontrado|hemos encontrado|encontramos) la página)",
    r"\b(?:pagina non (?:trovata|disponibile|esiste)|la pagina (?:che (?:cerchi|stai cercando|hai richiesto)|richiesta|cercata) |contenuto non (?:trovato|più disponibile))",
    r"\b(?:pagina (?:is )?niet (?:gevonden|beschikbaar)|(?:deze|de) pagina (?:bestaat niet|die (?:je|u) zoekt|kan niet))",
    r"\b(?:strona (?:nie (?:została znaleziona|istnieje)|o podanym adresie)|nie (?:znaleziono|ma takiej) strony|strony nie znaleziono|artykuł nie (?:istnieje|został znaleziony))",
    r"\b(?:página não (?:encontrada|existe|disponível)|(?:a|esta) página (?:que (?:procura|você)|não (?:existe|foi encontrada)))",
    r"(?:страница (?:не найдена|не существует|удалена)|запрашиваем\w+ (?:страниц|материал)|такой страницы (?:нет|не существует)|ошибка 404)",
    r"(?:không tìm thấy trang|trang (?:này )?(?:không tồn tại|bạn (?:tìm|yêu cầu))|bài viết (?:không tồn tại|đã bị (?:xóa|gỡ)))",
)  # fmt: skip
_NEEDS_SCRIPT = _any_of(
    r"\b(?:enable|turn on|activate|requires?|needs?|without) javascript\b|\bjavascript (?:is |seems to be |must be )?(?:disabled|required|not enabled|not supported|to run|enabled)\b",
    r"\bjavascript (?:aktivieren|einschalten|ist deaktiviert)|\bactive[rz] (?:le )?javascript|\b(?:active|habilite|activar|habilitar|attiva(?:re)?|abilita(?:re)?|ative|ativar) (?:o |el |il )?javascript|\b(?:schakel|zet) javascript (?:in|aan)|\bwłącz(?:yć)? (?:obsługę )?javascript",
    r"включите javascript|bật javascript|\byour browser (?:is (?:not supported|out of date)|does not support)",
)  # fmt: skip
_WALL_NAMES = re.compile(
    r"(?:^|[\s_-])(?:paywall|regwall|piano-(?:inline|offer)|subscriber-only|premium-(?:wall|teaser)|metered-wall|tp-modal)(?=$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT_TITLE = re.compile(r"\bcookies?\b|\bconsent\b|\bprivacy\b|\bbefore you continue\b|datenschutz|vie privée|privacidad|prywatność", re.IGNORECASE)
_PLAYERS = re.compile(r"youtube|vimeo|dailymotion|jwplayer|brightcove|/embed/|player\.", re.IGNORECASE)

_STUB = 150
"""Words below which a text may be a wall's own; with a stronger sign, twice as many may be."""


def signs_of(tree: HtmlElement) -> PageSigns:
    """What the markup says; to be called before dead weight is stripped."""
    body = tree.find("body")
    scripts = sum(len(script.text or "") + 200 * ("src" in script.attrib) for script in tree.iter("script"))
    hidden = sum(len(element.text_content()) for element in tree.iter("script", "style", "noscript", "template"))
    everything = len(tree.text_content() if body is None else body.text_content())
    players = len(list(tree.iter("video"))) + sum(bool(_PLAYERS.search(frame.get("src") or "")) for frame in tree.iter("iframe"))
    walled = next((name for name in _names(tree) if _WALL_NAMES.search(name)), None)
    noscript = " ".join(" ".join(element.text_content().split()) for element in list(tree.iter("noscript"))[:5])
    return PageSigns(scripts, max(0, everything - hidden), players, noscript[:500], walled)


def _names(tree: HtmlElement) -> list[str]:
    return [name for element in tree.iter("div", "section", "aside") for name in (element.get("class"), element.get("id")) if name]


def wall_of(
    *, url: str, title: str, text: str, visible: str, signs: PageSigns, free: bool | None, types: Collection[str]
) -> Wall | None:
    """What stands in the way of the article at ``url`` (the final address), if anything does.

    ``text`` is what was extracted, ``visible`` the beginning of everything on the page in reading
    order, ``free`` the page's own word on whether it is free to read.
    """
    size = len(words(text))
    return (
        _by_address(url, size)
        or _challenge(title, text, visible, size)
        or _missing(title, text, size)
        or _consent(title, text, visible, size)
        or _paywall(text, visible, size, signs, free)
        or _script(text, visible, size, signs)
        or _video(size, signs, types, url)
    )


def _by_address(url: str, size: int) -> Wall | None:
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path
    if _CONSENT_HOST.search(host) or _CONSENT_PATH.search(path):
        return Wall(CONSENT, f"redirected to {host}{path[:40]}")
    if _CHALLENGE_PATH.search(path):
        return Wall(CHALLENGE, f"redirected to {path[:40]}")
    if size < 2 * _STUB and _MISSING_PATH.search(path):
        return Wall(NOT_FOUND, f"redirected to {path[:40]}")
    if size < _STUB and _LOGIN_PATH.search(path):
        return Wall(PAYWALL, f"redirected to {path[:40]}")
    return None


def _challenge(title: str, text: str, visible: str, size: int) -> Wall | None:
    said = _CHALLENGE.search(title)
    if not said and size < _STUB:
        said = _CHALLENGE.search(text) or (_CHALLENGE.search(visible) if len(words(visible)) < _STUB else None)
    return Wall(CHALLENGE, f"it says {_quoted(said)}") if said and size < 2 * _STUB else None


def _missing(title: str, text: str, size: int) -> Wall | None:
    said = _NOT_FOUND.search(title) if size < 2 * _STUB else None
    if not said and size < _STUB:
        said = _NOT_FOUND.search(text[:300])
    return Wall(NOT_FOUND, f"it says {_quoted(said)}") if said else None


def _consent(title: str, text: str, visible: str, size: int) -> Wall | None:
    found = list(_CONSENT.finditer(text))
    spoken = len({match.group().lower() for match in found})
    if spoken >= 2 and size < 2 * _STUB or (spoken and size < _STUB and len(words(text)) < 60):
        return Wall(CONSENT, f"it says {_quoted(found[0])}")
    if found and size < 2 * _STUB and _CONSENT_TITLE.search(title):
        return Wall(CONSENT, f"it is called {title[:60]!r}")
    asked = list(_CONSENT.finditer(visible))
    if size < 30 and len({match.group().lower() for match in asked}) >= 2:
        return Wall(CONSENT, f"it says {_quoted(asked[0])}")
    return None


def _paywall(text: str, visible: str, size: int, signs: PageSigns, free: bool | None) -> Wall | None:
    said = _PAYWALL.search(text[-600:]) or _PAYWALL.search(visible) if size < 2 * _STUB else None
    if free is False and size < 2 * _STUB:
        return Wall(PAYWALL, "the page says it is not free to read, and is short")
    if said and (size < _STUB or signs.walled or _PAYWALL.search(text[-600:])):
        return Wall(PAYWALL, f"it says {_quoted(said)}")
    if signs.walled and size < _STUB:
        return Wall(PAYWALL, f"it has a {signs.walled[:40]!r} and little text")
    return None


def _script(text: str, visible: str, size: int, signs: PageSigns) -> Wall | None:
    if size >= _STUB // 2:
        return None
    said = _NEEDS_SCRIPT.search(text) or _NEEDS_SCRIPT.search(visible) or (_NEEDS_SCRIPT.search(signs.noscript) if size < 40 else None)
    if said:
        return Wall(SCRIPT, f"it says {_quoted(said)}")
    if size < 20 and signs.visible < 400 and signs.scripts > 3 * max(1, signs.visible):
        return Wall(SCRIPT, "the page is a program without text")
    return None


def _video(size: int, signs: PageSigns, types: Collection[str], url: str) -> Wall | None:
    called = any(name.startswith("video.") or name == "VideoObject" for name in types)
    at_video = re.search(r"/(?:videos?|watch|mediathek|clips?)(?:/|$)", urlsplit(url).path)
    if size < _STUB and (signs.players or called) and (called or at_video):
        return Wall(VIDEO, "the page shows a video and little text")
    return None


def _quoted(match: re.Match[str] | None) -> str:
    return repr(match.group()[:60]) if match else ""


def text_key(matching_text: str) -> str:
    """A key that equal texts share, for a caller that remembers what a host has answered."""
    return blake2b(" ".join(words(matching_text)).encode(), digest_size=12).hexdigest()


def repeated(matching_text: str, earlier: Collection[str]) -> Wall | None:
    """The wall that a host shows when it answers another address with a text it has sent before.

    ``earlier`` are the keys (``text_key``) of texts read at other addresses of the same host.
    Empty texts say nothing.
    """
    if words(matching_text) and text_key(matching_text) in earlier:
        return Wall(REPEATED, "the same host gave the same text for another address")
    return None

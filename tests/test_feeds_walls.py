# ruff: noqa: E501 - markup and phrases stand whole on their lines

import pytest
from pages import PARAGRAPHS

from feeds.page.html_tree import parse_html
from feeds.page.walls import PageSigns, Wall, repeated, signs_of, text_key, wall_of

URL = "https://courier.example/news/bridge"


def verdict(
    text: str = "",
    *,
    url: str = URL,
    title: str = "Harbour bridge closed",
    visible: str | None = None,
    signs: PageSigns | None = None,
    free: bool | None = None,
    types: tuple[str, ...] = (),
) -> str | None:
    wall = wall_of(
        url=url,
        title=title,
        text=text,
        visible=text if visible is None else visible,
        signs=signs or PageSigns(visible=5000),
        free=free,
        types=types,
    )
    return wall.kind if wall else None


ARTICLE = "\n".join(PARAGRAPHS)

CONSENT = [
    "We and our partners store and access information with cookies. Accept all or manage cookies. Cookie policy.",
    "Wir und unsere Partner verwenden Cookies für Werbung. Alle akzeptieren. Cookie-Einstellungen.",
    "Nous et nos partenaires utilisons des cookies. Accepter et fermer. Continuer sans accepter.",
    "Nosotros y nuestros socios utilizamos cookies. Aceptar y continuar. Política de cookies.",
    "Noi e i nostri partner archiviamo informazioni. Accetta e continua. La tua privacy.",
    "Wij en onze partners gebruiken cookies. Akkoord en doorgaan. Cookie-instellingen.",
    "My i nasi partnerzy używamy plików cookie. Szanujemy Twoją prywatność. Ustawienia prywatności.",
    "Nós e os nossos parceiros utilizamos cookies. Aceitar e continuar. Política de cookies.",
    "Мы используем файлы cookie. Принять все файлы. Согласие на обработку данных.",
    "Chúng tôi sử dụng cookie. Chấp nhận tất cả cookie. Chính sách cookie.",
]


@pytest.mark.parametrize("text", CONSENT)
def test_consent_pages_in_ten_languages(text: str) -> None:
    assert verdict(text) == "consent"


@pytest.mark.parametrize("text", CONSENT)
def test_a_cookie_banner_under_an_article_is_none(text: str) -> None:
    assert verdict(ARTICLE, visible=ARTICLE + text) is None


def test_an_article_on_cookies_is_none() -> None:
    text = (
        "The court ruled that we use cookies too lightly, and asked for consent to each. " + ARTICLE
    )
    assert verdict(text, title="Court rules on tracking") is None
    assert verdict(text * 5, title="Court rules on cookies") is None


def test_a_consent_page_from_which_nothing_was_read() -> None:
    assert verdict("", visible=CONSENT[0]) == "consent"


def test_a_page_called_consent_needs_one_more_sign() -> None:
    assert verdict("Accept all cookies to go on. " * 10, title="Your privacy") == "consent"
    assert verdict("Nothing of that kind is said here at all.", title="Cookies") is None


CHALLENGES = [
    "Checking your browser before accessing courier.example",
    "Please enable JavaScript and cookies to continue",
    "Sind Sie ein Mensch? Bitte bestätigen Sie.",
    "Vérification que vous êtes humain en cours",
    "Acceso denegado. No tiene permiso.",
    "Verifica che tu sia umano",
    "Ik ben geen robot",
    "Nie jestem robotem",
    "Não sou um robô",
    "Подтвердите, что вы человек. Я не робот",
    "Xác minh bạn là con người",
]


@pytest.mark.parametrize("text", CHALLENGES)
def test_bot_checks_in_ten_languages(text: str) -> None:
    assert verdict(text) == "challenge"
    assert verdict("", visible=text) == "challenge"


def test_a_bot_check_is_known_by_its_title() -> None:
    assert verdict("", title="Just a moment...") == "challenge"
    assert verdict(ARTICLE * 2, title="Are you a robot? A test for poets") is None


PAYWALLS = [
    "Subscribe now to continue reading. Already a subscriber? Log in.",
    "Dieser Artikel ist nur für Abonnenten. Jetzt weiterlesen mit Plus.",
    "Cet article est réservé aux abonnés. Il vous reste 80% de cet article à lire.",
    "Contenido exclusivo para suscriptores. Suscríbete para seguir leyendo.",
    "Contenuto riservato agli abbonati. Abbonati per continuare.",
    "Dit artikel is alleen voor abonnees. Al abonnee? Log in om verder te lezen.",
    "Artykuł dostępny tylko dla prenumeratorów. Masz już prenumeratę?",
    "Conteúdo exclusivo para assinantes. Assine para continuar lendo.",
    "Материал доступен только по подписке. Оформите подписку.",
    "Nội dung dành riêng cho thành viên. Đăng nhập để đọc tiếp.",
]


@pytest.mark.parametrize("plea", PAYWALLS)
def test_paywall_stubs_in_ten_languages(plea: str) -> None:
    assert verdict(PARAGRAPHS[0] + "\n" + plea) == "paywall"


@pytest.mark.parametrize("plea", PAYWALLS)
def test_a_subscription_box_beside_a_whole_article_is_none(plea: str) -> None:
    assert verdict(ARTICLE * 3, visible=ARTICLE * 3 + plea) is None


def test_a_page_that_is_not_free_is_a_stub_only_when_short() -> None:
    assert verdict(PARAGRAPHS[0], free=False) == "paywall"
    assert verdict(ARTICLE * 3, free=False) is None
    assert verdict(PARAGRAPHS[0], free=True) is None


def test_a_paywall_by_its_markup() -> None:
    assert verdict(PARAGRAPHS[0], signs=PageSigns(visible=900, walled="paywall")) == "paywall"
    assert verdict(ARTICLE * 3, signs=PageSigns(visible=900, walled="paywall")) is None


MISSING = [
    "404 Page not found",
    "The page you are looking for does not exist.",
    "Seite nicht gefunden",
    "Page introuvable",
    "Página no encontrada",
    "Pagina non trovata",
    "Pagina niet gevonden",
    "Strona nie została znaleziona",
    "Página não encontrada",
    "Страница не найдена",
    "Không tìm thấy trang",
]


@pytest.mark.parametrize("text", MISSING)
def test_soft_errors_in_ten_languages(text: str) -> None:
    assert verdict(text) == "not_found"
    assert verdict(PARAGRAPHS[0], title=text) == "not_found"


def test_an_article_on_a_missing_page_is_none() -> None:
    text = (
        ARTICLE
        + " The page was not found again until 1931, when a monk opened the book. "
        + ARTICLE
    )
    assert verdict(text, title="The lost page of the codex") is None


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://consent.yahoo.example/v2/collect", "consent"),
        ("https://myprivacy.paper.example/?siteKey=x", "consent"),
        ("https://paper.example/privacy-gate/accept", "consent"),
        ("https://paper.example/cdn-cgi/challenge-platform/x", "challenge"),
        ("https://paper.example/404", "not_found"),
        ("https://paper.example/error/page-not-found.html", "not_found"),
        ("https://paper.example/login?next=/a", "paywall"),
        ("https://paper.example/news/consent-of-the-governed", None),
    ],
)
def test_walls_by_their_final_address(url: str, kind: str | None) -> None:
    assert verdict(PARAGRAPHS[0], url=url) == kind


@pytest.mark.parametrize(
    "text",
    [
        "You need to enable JavaScript to run this app.",
        "JavaScript is disabled in your browser.",
        "Bitte JavaScript aktivieren.",
        "Veuillez activer JavaScript.",
        "Habilite JavaScript.",
        "Włącz obsługę JavaScript.",
        "Включите JavaScript.",
        "Hãy bật JavaScript.",
    ],
)
def test_pages_that_need_a_script_say_so(text: str) -> None:
    assert verdict(text) == "script"
    assert verdict("", signs=PageSigns(visible=900, noscript=text)) == "script"


def test_a_page_without_text_is_a_program() -> None:
    assert verdict("", signs=PageSigns(scripts=50_000, visible=30)) == "script"
    assert verdict("", signs=PageSigns(scripts=10, visible=30)) is None


def test_a_video_page_has_a_player_and_little_text() -> None:
    player = PageSigns(visible=900, players=1)
    assert verdict(PARAGRAPHS[0], signs=player, types=("VideoObject",)) == "video"
    assert verdict(PARAGRAPHS[0], signs=player, url="https://paper.example/video/bridge") == "video"
    assert verdict("02:47", signs=player) == "video"
    assert verdict(PARAGRAPHS[0], signs=player) is None
    assert verdict(ARTICLE * 2, signs=player, types=("VideoObject",)) is None


def test_an_article_is_no_wall() -> None:
    assert verdict(ARTICLE) is None
    assert verdict(PARAGRAPHS[0]) is None


def test_signs_are_counted_in_the_markup() -> None:
    signs = signs_of(
        parse_html(
            "<body><script>var a = 1</script><script src='x.js'></script><noscript>Enable JavaScript</noscript>"
            "<div class='c-paywall paywall'>text</div><iframe src='https://www.youtube.com/embed/x'></iframe>"
            "<video></video></body>"
        )
    )
    assert signs.scripts == len("var a = 1") + 200
    assert signs.visible == len("text")
    assert signs.players == 2
    assert signs.noscript == "Enable JavaScript"
    assert signs.walled == "paywall"


NOTICE = "Norwick Courier is a local newspaper. To go on reading, tell us who you are."


def test_the_same_text_for_another_article_is_a_wall() -> None:
    wall = repeated(NOTICE, "Harbour bridge closed", ["Mayor resigns after a week"])
    assert wall == Wall("repeated", "the same host gave the same text for another article")
    assert repeated(NOTICE, "哈尔滨大桥关闭", ["市长辞职"]) is not None


@pytest.mark.parametrize(
    ("text", "headline", "others"),
    [
        (NOTICE, "Harbour bridge closed", []),
        (NOTICE, "Harbour bridge closed", ["Harbour bridge CLOSED"]),
        ("The harbour bridge was closed on Monday.", "Harbour bridge closed", ["Bridge shut"]),
        ("中美元首会晤在旧金山举行。", "中美元首旧金山会晤", ["中美合作"]),
    ],
)
def test_an_article_at_two_addresses_is_none(text: str, headline: str, others: list[str]) -> None:
    assert repeated(text, headline, others) is None


def test_which_texts_share_a_key() -> None:
    key = text_key("courier.example", NOTICE)
    assert key == text_key("COURIER.example", NOTICE.upper())
    assert key != text_key("times.example", NOTICE)
    assert key != text_key("courier.example", "Another text")
    assert text_key("courier.example", " ... ") is None
    assert text_key("courier.example", "word " * 600) is None

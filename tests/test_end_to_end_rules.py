"""The operator's rules over the whole road: what was dropped stays away, what was set is shown."""

from typing import Any

from builders import latest_stories
from newsroom_runs import all_stories, opened, serve, settings_for
from test_end_to_end import Outlets

from aggregator.config.settings import Settings
from aggregator.operating.explaining import explanation
from aggregator.operating.history import poll_rows, read_history
from aggregator.operating.passes import full_pass
from aggregator.operating.rule_trial import rows, stored, summary, try_rules
from storage.queues import queues
from storage.status import totals
from storage.values.publish import StoryFilter, StoryView

BRIDGE = (
    "The harbour bridge of Velmora reopened on Tuesday after eleven months of repairs that cost "
    "the city forty million crowns, and the first tram crossed it at six in the morning before a "
    "small crowd of engineers and residents, mayor Ilse Brandt among them."
)


def item(guid: str, title: str, text: str = BRIDGE, host: str = "one") -> str:
    return (
        f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid>"
        f"<link>https://{host}.example/{guid}</link><description>{text}</description></item>"
    )


def configured(database_url: str, url: str, *rules: dict[str, Any], **more: Any) -> Settings:
    sources: list[dict[str, object]] = [
        {"url": f"{url}/{name}", "name": name, "category": "news", "full_text": "never"}
        | more.get(name, {})
        for name in ("one", "two")
    ]
    return settings_for(database_url, sources, rule=rules)


async def passed(settings: Settings) -> list[StoryView]:
    async with opened(settings) as application:
        await full_pass(application, everything=True)
        assert application.tally.failed == {}
        waiting = await application.ledger.read(queues, application.clock())
        assert {waiting[stage].length for stage in ("extract", "fold")} == {0}, "nothing is blocked"
        return await all_stories(application)


async def test_what_was_dropped_does_not_come_back(database_url: str) -> None:
    outlets = Outlets()
    drop = {"match": ["horoscope*"], "action": "drop"}
    async with serve(outlets.app()) as url:
        outlets.items["one"] = item("stars", "Your horoscope", "Of stars.") + item("b", "A bridge")
        outlets.items["two"] = ""
        (bridge,) = await passed(configured(database_url, url, drop))
        assert bridge.title == "A bridge"
        async with opened(configured(database_url, url, drop)) as application:
            history = await application.ledger.read(read_history, "one", 10)
        assert [(row[5], row[7]) for row in poll_rows(history)] == [("1", "1")]
        # Neither by another pass, nor without the rule, nor with another title and text.
        assert len(await passed(configured(database_url, url, drop))) == 1
        outlets.items["one"] = item("stars", "Your stars", "Of planets.") + item("b", "A bridge")
        assert len(await passed(configured(database_url, url))) == 1
        # What arrives from then on is another matter, and so is another source's word.
        outlets.items["one"] += item("more", "Another horoscope", "Ferries run late in winter.")
        outlets.items["two"] = item("stars", "What the stars say", "A council paints benches.")
        titles = {story.title for story in await passed(configured(database_url, url))}
        assert titles == {"A bridge", "Another horoscope", "What the stars say"}
        async with opened(configured(database_url, url)) as application:
            assert (await application.ledger.read(totals)).entries == 3


async def test_what_was_let_in_is_not_dropped_later(database_url: str) -> None:
    outlets = Outlets()
    drop = {"match": ["bridge"], "action": "drop"}
    async with serve(outlets.app()) as url:
        outlets.items["one"], outlets.items["two"] = item("b", "A bridge"), ""
        assert len(await passed(configured(database_url, url))) == 1
        outlets.items["one"] = item("b", "A bridge, once more", f"{BRIDGE} It rained all day.")
        (story,) = await passed(configured(database_url, url, drop))
        assert story.lead.title == "A bridge, once more", "it is updated as ever"


async def test_what_rules_set_is_shown_and_filtered_by(database_url: str) -> None:
    outlets = Outlets()
    rules = (
        {"match": ["harbour"], "category": "transport", "language": "nl"},
        {"sources": ["two"], "publisher": "Velmora Press"},
    )
    async with serve(outlets.app()) as url:
        outlets.items["one"] = item("b", "LIVE: The harbour bridge reopens | One")
        outlets.items["two"] = item("c", "A town votes", "A town votes on a new school.", "two")
        settings = configured(
            database_url,
            url,
            *rules,
            one={"title_prefixes": ["live: "], "title_suffixes": [" | One"]},
        )
        found = {story.title: story for story in await passed(settings)}
        assert set(found) == {"The harbour bridge reopens", "A town votes"}
        bridge, town = found["The harbour bridge reopens"].lead, found["A town votes"].lead
        assert (bridge.category, bridge.language) == ("transport", "nl")
        assert (town.category, town.publisher) == ("news", "Velmora Press")
        async with opened(settings) as application:
            for category, title in (("transport", bridge.title), ("news", town.title)):
                wanted = StoryFilter(categories=(category,))
                (story,) = await application.ledger.read(latest_stories, wanted)
                assert story.title == title


async def test_what_is_never_folded_stays_alone(database_url: str) -> None:
    outlets = Outlets()
    alone = {"match": [{"keyword": "live", "in": "title"}], "never_fold": True}
    async with serve(outlets.app()) as url:
        outlets.items["one"] = item("b", "Live: the harbour bridge reopens")
        outlets.items["two"] = item("c", "Harbour bridge reopens", host="two")
        found = await passed(configured(database_url, url, alone))
        assert len(found) == 2
        (live,) = [story.lead.id for story in found if story.title.startswith("Live")]
        why = explanation(configured(database_url, url, alone), str(live))
        assert "because: the first of its story; kept alone by a rule\n" in f"{why}\n"
        # Also for what comes after a restart, and by the very words of it.
        outlets.items["two"] += item("d", "Harbour bridge of Velmora reopens", host="two")
        stories = await passed(configured(database_url, url, alone))
        assert sorted(len(story.articles) for story in stories) == [1, 2]


async def test_rules_are_tried_on_what_is_stored(database_url: str) -> None:
    outlets = Outlets()
    async with serve(outlets.app()) as url:
        outlets.items["one"] = item("a", "Your horoscope", "Of stars.") + item("b", "A bridge")
        outlets.items["two"] = item("c", "A town votes", "On a school.", "two")
        await passed(configured(database_url, url))
        rules = (
            {"name": "no stars", "match": ["horoscope*"], "action": "drop"},
            {"sources": ["two"], "category": "local", "never_fold": True},
            {"match": ["nothing of the kind"], "action": "keep"},
        )
        settings = configured(database_url, url, *rules)
        tried = try_rules(settings, stored(settings, 10))
        assert sorted(rows(settings, tried)) == [
            ("category = local; never folded", "rule 2", "two", "A town votes"),
            ("drop", "no stars", "one", "Your horoscope"),
        ]
        assert list(summary(settings, tried)) == [
            "3 entries, 1 of them dropped",
            "  no stars: 1",
            "  rule 2: 1",
            "  rule 3: none",
        ]

"""A run as text for a terminal: scenarios, transcripts, and what functions did where something went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connect_sandbox.runs.events import Decision, EntryWritten, FunctionEnded, Item, Message
from connect_sandbox.runs.reader import Contact, FunctionCall, Happened, Run, Scenario, went_wrong

_BLOCK_WIDTH = 34
_LONGEST = 300


def transcript(scenario: Scenario) -> str:
    """Return what happened in a scenario, call by call, with what the scenario itself has found."""
    parts: list[tuple[int, str]] = [
        (contact.entries[0].n, entries(contact.entries)) for contact in scenario.contacts if contact.entries
    ]
    parts += [(note.n, f"  → {note.what.text}") for note in scenario.entries]
    texts = [text for _, text in sorted(parts)]
    return "\n".join(f"\n{text}" if len(texts) > 1 and "\n" in text else text for text in texts).lstrip("\n")


def entries(told: Sequence[Happened[EntryWritten]]) -> str:
    """Return the transcript of a contact as aligned text, one entry a line; a block is named at its first entry."""
    return "\n".join(_lines(told))


def show_scenario(scenario: Scenario) -> str:
    """Return a scenario with its transcript; if something went wrong, with functions, refusals and log lines."""
    lines = [_headline(scenario)]
    if not scenario.failed and not any(map(went_wrong, scenario.contacts)):
        text = transcript(scenario)
        return "\n".join([*lines, text] if text else lines)
    parts: list[tuple[int, str]] = [
        (contact.happened[0].n, show_contact(contact)) for contact in scenario.contacts
    ]
    parts += [(note.n, f"  → {note.what.text}") for note in scenario.entries]
    return "\n".join(lines + [text for _, text in sorted(parts)])


def show_contact(contact: Contact) -> str:
    """Return a contact with all that happened because of it."""
    width = _width(contact.entries)
    calls = {call.invocation: call for call in contact.functions}
    lines = [f"\ncontact {contact.id}{_whose(contact)}"]
    named: tuple[str | None, str | None] | None = None
    for event in contact.happened:
        what = event.what
        if isinstance(what, EntryWritten):
            lines.append(_line(event.at or 0.0, what, width, named=named != (what.flow, what.block)))
            named = (what.flow, what.block)
        elif isinstance(what, FunctionEnded) and what.invocation in calls:
            lines += _function(calls[what.invocation])
        elif isinstance(what, Decision) and not what.allowed and what.invocation is None:
            lines.append(f"           refused  {_refusal(what)}")
    if contact.stopped is not None:
        lines.append(f"  stopped: {contact.stopped.what.problem}")
    elif contact.ended is not None:
        reason = f" ({contact.ended.what.reason})" if contact.ended.what.reason else ""
        lines.append(f"  ended: {contact.ended.what.how}{reason}")
    else:
        lines.append("  goes on, or the run was cut off")
    return "\n".join(lines)


def show_run(run: Run) -> str:
    """Return what one wants to see first: what failed, else the list of scenarios or contacts."""
    title = run.began.what.title if run.began is not None else ""
    started = run.began.what.started if run.began is not None else ""
    lines = [f"{title}  {started}".strip()] if title or started else []
    failed = run.failed_scenarios
    if failed:
        lines += [show_scenario(failed[0]), ""]
        lines += [f"FAILED  {scenario.name}: {_failure(scenario)}" for scenario in failed]
        return "\n".join([*lines, _counts(run)])
    wrong = [contact for contact in run.failed_contacts if contact.scenario is None]
    if wrong:
        lines.append(show_contact(wrong[0]))
        lines += [f"  went wrong, too: contact {contact.id}" for contact in wrong[1:]]
    lines += [f"{_outcome(one)}  {_seconds(one)}  {one.name}" for one in run.scenarios.values()]
    if not run.scenarios:
        lines += [
            f"contact {contact.id}{_whose(contact)}{_how(contact)}" for contact in run.contacts.values()
        ]
    lines += [f"stack   {stack.what.stack}  {stack.what.status}" for stack in run.stacks.values()]
    return "\n".join([*lines, _counts(run)])


def _headline(scenario: Scenario) -> str:
    head = f"{_outcome(scenario)}  {scenario.name}  {scenario.shows}".rstrip()
    return f"{head}\n{_indented(_failure(scenario))}" if scenario.failed else head


def _outcome(scenario: Scenario) -> str:
    if scenario.ended is None:
        return "plays "
    return "FAILED" if scenario.failed else "passed"


def _failure(scenario: Scenario) -> str:
    return (scenario.ended.what.failure if scenario.ended is not None else None) or "it is not said why"


def _seconds(scenario: Scenario) -> str:
    return "       " if scenario.ended is None else f"{scenario.ended.what.seconds:5.1f} s"


def _counts(run: Run) -> str:
    scenarios = len(run.scenarios)
    if not scenarios:
        count = len(run.contacts)
        return f"{count} contact{'s' * (count != 1)}, {len(run.failed_contacts) or 'none'} went wrong"
    return f"{scenarios} scenario{'s' * (scenarios != 1)}, {len(run.failed_scenarios) or 'none'} failed"


def _whose(contact: Contact) -> str:
    if contact.began is None:
        return ""
    began = contact.began.what
    return f"  {began.channel} {began.customer or 'somebody'} → {began.system or began.flow}"


def _how(contact: Contact) -> str:
    if contact.stopped is not None:
        return "  stopped"
    return "  goes on" if contact.ended is None else f"  {contact.ended.what.how}"


def _function(call: FunctionCall) -> Iterator[str]:
    ended = call.ended.what if call.ended is not None else None
    if ended is None:
        return
    took = "" if ended.milliseconds is None else f" in {ended.milliseconds:.0f} ms"
    cold = " after a cold start" if ended.cold else ""
    how = "refused" if ended.refused else "failed" if ended.error else "answered"
    yield f"           function {call.name} {how}{took}{cold}"
    if ended.refused or ended.error:
        yield f"             {_shortened(ended.refused or str(ended.answer or ended.error))}"
    yield from (f"             refused  {_refusal(one.what)}" for one in call.refused)
    effects = [(one.n, _effect(one.what)) for one in call.messages]
    effects += [(one.n, _effect(one.what)) for one in call.items]
    yield from (f"             {effect}" for _, effect in sorted(effects))
    yield from (f"             | {_shortened(line)}" for line in call.logs)


def _effect(what: Message | Item) -> str:
    if isinstance(what, Message):
        return f"sends    {what.service} {what.to}: {_shortened(str(what.body))}"
    verb = "deletes  " if what.new is None else "writes   "
    return f"{verb}{what.table} {what.key}: {_shortened(str(what.new if what.new is not None else what.old))}"


def _refusal(decision: Decision) -> str:
    return f"{decision.action} on {decision.resource}: {decision.reason}"


def _lines(told: Sequence[Happened[EntryWritten]]) -> Iterator[str]:
    width = _width(told)
    named: tuple[str | None, str | None] | None = None
    for entry in told:
        here = (entry.what.flow, entry.what.block)
        yield _line(entry.at or 0.0, entry.what, width, named=named != here)
        named = here


def _width(told: Iterable[Happened[EntryWritten]]) -> int:
    return min(max((len(entry.what.block or "") for entry in told), default=0), _BLOCK_WIDTH)


def _line(at: float, entry: EntryWritten, width: int, *, named: bool) -> str:
    if entry.who == "rehearsal":
        return f"  → {entry.text}"
    minutes, seconds = divmod(round(at, 1), 60)
    block = (entry.block or "") if named else ""
    text = f"“{entry.text}”" if entry.kind == "says" else entry.text
    return f"  {int(minutes):2d}:{seconds:04.1f}  {entry.who:<7}  {block:<{width}}  {text}".rstrip()


def _shortened(text: str) -> str:
    text = text.rstrip("\n")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())

"""What people say in English: sentence patterns per topic and the words that fill them."""

from xget_sandbox.world.topics import Phrases

PLACES = (
    "Lisbon", "Nairobi", "Toronto", "Jakarta", "São Paulo", "Oslo", "Chicago", "Mumbai", "Cape Town", "Seoul",
    "Reykjavík", "Lagos", "Melbourne", "Hamburg", "Austin", "Lima", "Hanoi", "Zürich", "Glasgow", "Osaka",
)  # fmt: skip
WHO = (
    "the city council", "our team", "a startup I follow", "the national lab", "my old professor", "the ministry",
    "three universities", "a small co-op", "the open source crowd", "the regulator", "everyone at the meetup",
    "the engineers", "my daughter's school", "the working group", "a group of nurses",
)  # fmt: skip
WHEN = (
    "this morning", "last night", "yesterday", "since March", "over the weekend", "by 2030", "next quarter",
    "in the last decade", "before lunch", "for the third time this year", "at long last", "in one afternoon",
)  # fmt: skip
FEELING = (
    "Honestly impressed.", "Not sure what to make of it.", "Worth a read.", "Hard to overstate.",
    "I'll believe it when I see it.", "More of this, please.", "Numbers in the thread.", "What am I missing?",
    "Small steps & big plans.", "This is the way.", "Let's talk about it.",
    "It's not perfect, but it's a start 🙌", "Finally!", "We can do better 💪", "Who else noticed?",
)  # fmt: skip

CLIMATE = (
    "Climate adaptation is local: {who} in {place} moved {n} pumps uphill {when}.",
    "The climate report for {place} came out {when}: rainfall up {pct}%, heat days up {n}.",
    "{who} published {n} years of climate data for {place}. Free to download.",
    "Nobody in {place} asks whether the climate is changing any more; they ask who pays the {n} million.",
    "We cut our heating bill by {pct}% {when}. Climate policy can be this boring & good.",
    "New climate model run finished {when}: {n} scenarios, {pct}% agreement for {place}.",
    "Spent {n} hours in a climate hearing in {place}. {who} had the best slides.",
    "Wind covered {pct}% of demand in {place} {when}. The climate says thanks.",
    "A climate fund that pays {who} directly? {n} villages near {place} are trying it.",
    "Sea level at {place}: {n} mm higher than in my childhood. The climate keeps its own diary.",
    "Our climate club planted {n} mangroves near {place} {when} and {pct}% survived the storm.",
    "Insurance in {place} went up {pct}% {when}; climate risk is a line item now.",
    "{who} says the climate plan for {place} misses {n} of its own targets.",
    "Batteries fell another {pct}% in price {when}. Good news for the climate and for {place}.",
    "Teaching climate science to {n} teenagers in {place} is the best job I've had.",
)
AI = (
    "{who} let an AI read {n} pages of minutes from {place}; it found {pct}% of the errors.",
    "AI will not replace {who}, but it answered {n} emails {when}.",
    "Benchmarked {n} AI models {when}: the smallest kept {pct}% of the score.",
    "An AI translated the notices in {place} into {n} languages. {pct}% needed no edit.",
    "Open weights changed AI more than any launch event in {place}. Ask {who}.",
    "Our AI reviewer flagged {n} bugs {when}; {pct}% were real.",
    "AI safety workshop in {place} {when}: {n} people, one whiteboard, zero hype.",
    "Trained a tiny AI on {n} hours of birdsong near {place}. {pct}% accuracy!",
    "{who} asked an AI for a timetable. {place} now has {n} fewer missed connections.",
    "AI policy draft from {place}: {n} articles, {pct}% of them about procurement.",
    "Inference costs for AI dropped {pct}% {when}. {who} noticed first.",
)
QUANTUM = (
    "Quantum error correction reached {n} logical qubits {when}. {who} is celebrating in {place}.",
    "A quantum link of {n} km between {place} and its airport stayed up for {pct}% of the night.",
    "{who} explains quantum annealing with {n} coffee cups. It works.",
    "Quantum sensors under {place} found {n} forgotten tunnels {when}.",
    "Two-qubit gates at 99.{pct}% fidelity {when}: quantum engineering is engineering now.",
)
FOOTBALL = (
    "{place} scored after {n} seconds. Football is unfair and I love it.",
    "What a football night in {place}: {n} shots, {pct}% possession, no goal.",
    "{who} coached the under-12 football team of {place} to {n} wins {when}.",
    "Football tactics thread: how {place} pressed {pct}% higher {when}.",
)
SPACE = (
    "The rocket landed on the first try after {n} scrubs. {place} heard the boom {when}.",
    "A telescope near {place} counted {n} new moons {when}. {who} found the smallest.",
    "Orbit looks crowded: {n} satellites over {place}, {pct}% of them younger than my phone.",
)
MARKETS = (
    "$TSLA moved {pct}% {when} and {who} blames the weather in {place}.",
    "Sold {n} shares of $NVDA {when}. {place} housing next? No.",
    "Inflation in {place} at {n}.{pct}% — $EUR traders shrug.",
)

ENGLISH = Phrases(
    fill={"place": PLACES, "who": WHO, "when": WHEN},
    closing=FEELING,
    joiner=" ",
    topics={
        "climate": (CLIMATE, ("climate", "ClimateAction", "NetZero")),
        "ai": (AI, ("AI", "MachineLearning", "OpenSource")),
        "quantum": (QUANTUM, ("quantum", "physics")),
        "football": (FOOTBALL, ("football", "WorldCup2026")),
        "space": (SPACE, ("space", "Starship")),
        "markets": (MARKETS, ("stocks",)),
    },
)

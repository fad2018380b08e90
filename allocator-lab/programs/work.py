# Records as JSON and back, counted by word, joined to a text.
import hashlib
import json
import sys

count = int(sys.argv[1])
records = [
    {
        "id": number,
        "name": "user %d" % (number * 7919 % count),
        "tags": ["tag%d" % (number % modulus) for modulus in (3, 17, 101)],
        "place": {"x": number / 3.0, "y": [number, str(number)]},
    }
    for number in range(count)
]
text = json.dumps(records)
again = json.loads(text)
words = {}
for record in again:
    for word in record["name"].split() + record["tags"]:
        words.setdefault(word, []).append(record["id"])
lines = ["%s: %d" % (word, len(places)) for word, places in sorted(words.items())]
joined = "\n".join(line.upper().replace("USER", "person") for line in lines)
sets = [frozenset(places[:8]) for places in words.values()]
print(len(text), len(again), len(sets), hashlib.sha256(joined.encode()).hexdigest())

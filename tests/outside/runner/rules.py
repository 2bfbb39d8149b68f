"""The rules by which GitHub's own runner reads what a step says: files of outputs, and commands in its log."""

# FileCommandManager.cs: lines end at line feeds alone.
def outputs(text):
    """Every output of a file, the later ones winning; what the runner would refuse is an error."""
    found, at = {}, 0
    while (line := next_line(text, at)) is not None:
        at = line[1]
        if not line[0]:
            continue
        equals, here = line[0].find("="), line[0].find("<<")
        if here >= 0 and (equals < 0 or here < equals):
            name, delimiter = line[0].split("<<", 1)
            assert name and delimiter, f"name and delimiter must not be empty: {line[0]!r}"
            start = end = at
            while True:
                value = next_line(text, at)
                assert value is not None, f"the delimiter {delimiter!r} does not come"
                at = value[1]
                if value[0] == delimiter:
                    break
                assert value[2], f"the last line of a value has no line feed: {value[0]!r}"
                end = at - 1
            found[name] = text[start:end]
        else:
            assert equals > 0, f"neither name=value nor name<<delimiter: {line[0]!r}"
            name, value = line[0].split("=", 1)
            found[name] = value
    return found


def next_line(text, at):
    """A line, where the next begins, and whether this one had a line feed; None behind the last."""
    if at >= len(text):
        return None
    feed = text.find("\n", at)
    return (text[at:], len(text), False) if feed < 0 else (text[at:feed], feed + 1, True)


REGISTERED = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
}


def command(line):
    """The command in a line of the log, by either notation of ActionCommand.cs; its name and the rest."""
    start = line.lstrip()
    if start.startswith("::") and (end := start.find("::", 2)) > 0:
        name, _, properties = start[2:end].partition(" ")
        if name in REGISTERED:
            return name, properties, start[end + 2 :]
    if (at := line.find("##[")) >= 0 and (end := line.find("]", at)) > 0:
        name, _, properties = line[at + 3 : end].partition(" ")
        if name in REGISTERED:
            return name, properties, line[end + 1 :]
    return None


def commands(log):
    return [found for line in log.splitlines() if (found := command(line))]

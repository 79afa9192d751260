"""A YAML file read as strictly as TOML: no key stands twice, nothing is expanded.

YAML 1.1 takes "no" for false, "3:12" for 192 and "1e3" for a number. Here a plain word is the text that it
is, but for `true` and `false`, so a file means the same in TOML and in YAML. Lists, tables and texts are all
there is: no anchors, no tags.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from coldchain.config.document import Document
from coldchain.config.positions import Lines, Place
from coldchain.config.problems import ConfigError, Problem, dotted

_FLAGS = {"true": True, "false": False}
_MISSING = "YAML files need PyYAML; install coldchain[yaml], or write the same in TOML"


class YamlDocument(Document):
    """A YAML file that has been read."""

    @override
    def _parsed(self) -> dict[str, Any]:
        try:
            import yaml
        except ImportError as error:
            raise ConfigError([Problem(self.shown, 1, "", "cannot be read here", _MISSING)]) from error
        try:
            root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else 1
            raise ConfigError(
                [
                    Problem(
                        self.shown,
                        line,
                        "",
                        error.problem or "is no YAML",
                        "correct the line, or put the value in quotes",
                    )
                ]
            ) from error
        except yaml.YAMLError as error:
            raise ConfigError([Problem(self.shown, 1, "", f"is no YAML: {error}", "correct it")]) from error
        self._found: dict[Place, int] = {}
        self._seen: set[int] = set()
        data = self._value(root, ()) if root is not None else {}
        if not isinstance(data, dict):
            raise ConfigError([Problem(self.shown, 1, "", "is no table", "write keys and values")])
        return data

    @override
    def line(self, place: Place) -> int:
        return Lines(self._found).of(place)

    def _value(self, node: Any, place: Place) -> Any:
        import yaml

        line = node.start_mark.line + 1
        self._found.setdefault(place, line)
        if id(node) in self._seen:
            raise self._refused(line, place, "is an alias of something above", "write it out")
        self._seen.add(id(node))
        if node.tag.startswith("!"):
            raise self._refused(
                line, place, f"has the tag {node.tag}", "take it out: there are texts, lists and tables"
            )
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.value in _FLAGS:
                return _FLAGS[node.value]
            return str(node.value)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(each, (*place, index)) for index, each in enumerate(node.value)]
        found: dict[str, Any] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                raise self._refused(at, place, "has a key that is no text", "write a plain word as the key")
            name = str(key.value)
            if name in found:
                raise self._refused(at, (*place, name), "stands twice", "write each key once")
            self._found[(*place, name)] = at
            found[name] = self._value(value, (*place, name))
        return found

    def _refused(self, line: int, place: Place, what: str, mend: str) -> ConfigError:
        return ConfigError([Problem(self.shown, line, dotted(place), what, mend)])

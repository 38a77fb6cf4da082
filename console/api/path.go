package api

import (
	"strconv"
	"strings"
)

// Places in JSON values are written as masking rules write them: a.b[0]["c.d"].

// fieldPath is the place of a field of what is at path.
func fieldPath(path, name string) string {
	if name == "" || name == "*" || name == "**" || strings.ContainsAny(name, `.[]"*`) {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// JoinPath is a place within a value as it follows that value's own place: ".b" of
// "b", and what begins with a bracket as it is.
func JoinPath(inner string) string {
	if inner == "" || inner[0] == '[' {
		return inner
	}
	return "." + inner
}

// pathStep is a field's name, or an element's number.
type pathStep struct {
	name  string
	index int
	array bool
}

// parsePath reads a place; "" is the whole value.
func parsePath(path string) ([]pathStep, error) {
	var steps []pathStep
	rest := path
	for rest != "" {
		step, after, err := nextStep(rest, len(steps) == 0)
		if err != nil {
			return nil, err
		}
		steps, rest = append(steps, step), after
	}
	return steps, nil
}

func nextStep(text string, first bool) (pathStep, string, error) {
	if strings.HasPrefix(text, `["`) {
		quoted, err := strconv.QuotedPrefix(text[1:])
		if err != nil || !strings.HasPrefix(text[1+len(quoted):], "]") {
			return pathStep{}, "", BadField("path", `%s does not end with "]`, quote(text))
		}
		name, err := strconv.Unquote(quoted)
		return pathStep{name: name}, text[len(quoted)+2:], err
	}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		digits, after, ok := strings.Cut(inside, "]")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n < 0 {
			return pathStep{}, "", BadField("path", `%s: write [0] for an element and ["name"] for a name with signs in it`, quote(text))
		}
		return pathStep{index: n, array: true}, after, nil
	}
	if !first {
		rest, ok := strings.CutPrefix(text, ".")
		if !ok {
			return pathStep{}, "", BadField("path", "a dot is missing before %s", quote(text))
		}
		text = rest
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if name := text[:end]; name != "" && !strings.ContainsAny(name, `*"]`) {
		return pathStep{name: name}, text[end:], nil
	}
	return pathStep{}, "", BadField("path", "%s does not begin with a name: write one place such as items[0].price", quote(text))
}

// at is what is at a place of a decoded value; hidden says that a masking rule hid it
// or what it is in.
func at(value any, steps []pathStep) (found any, there, hidden bool) {
	for _, s := range steps {
		if value == Hidden {
			return nil, false, true
		}
		if s.array {
			list, ok := value.([]any)
			if !ok || s.index >= len(list) {
				return nil, false, false
			}
			value = list[s.index]
			continue
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false, false
		}
		if value, ok = object[s.name]; !ok {
			return nil, false, false
		}
	}
	return value, true, value == Hidden
}

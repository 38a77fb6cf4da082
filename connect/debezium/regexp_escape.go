package debezium

import "strings"

// posix are Java's classes of US-ASCII that Go spells differently.
var posix = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit", "Alnum": "alnum",
	"Punct": "punct", "Graph": "graph", "Print": "print", "Blank": "blank", "Cntrl": "cntrl", "XDigit": "xdigit", "Space": "space",
}

// translateEscape reads what begins with a backslash, and says how long that is.
func translateEscape(rest string, class bool) (out string, n int, err error) {
	if len(rest) == 1 {
		return "", 0, unsupported("a backslash at the end")
	}
	switch c := rest[1]; {
	case '1' <= c && c <= '9':
		return "", 0, unsupported("the backreference " + rest[:2])
	case c == 'k':
		return "", 0, unsupported(`a backreference by name (\k<…>)`)
	case c == 'u' && len(rest) >= 6:
		ascii := rest[2:4] == "00" && rest[4] < '8'
		return exact(`\x{`+rest[2:6]+"}", class || ascii), 6, nil
	case c == 'e':
		return `\x1b`, 2, nil
	case c == 'h' && !class:
		return `[ \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]`, 2, nil
	case c == 'Q':
		if end := strings.Index(rest, `\E`); end >= 0 {
			return rest[:end+2], end + 2, nil
		}
		return rest + `\E`, len(rest), nil
	case c == 'p' || c == 'P':
		return translateProperty(rest, class)
	case strings.IndexByte("GXZRHVNbB", c) >= 0 && (class || c != 'b' && c != 'B'):
		return "", 0, unsupported(`\` + string(c))
	}
	return rest[:2], 2, nil
}

// exact keeps a character beyond ASCII from matching in another case, as it does not in Java. In
// classes it cannot.
func exact(character string, leave bool) string {
	if leave {
		return character
	}
	return "(?-i:" + character + ")"
}

func translateProperty(rest string, class bool) (out string, n int, err error) {
	if rest[2:] == "" || rest[2] != '{' {
		return rest[:2], 2, nil
	}
	name, _, ok := strings.Cut(rest[3:], "}")
	if !ok {
		return rest[:2], 2, nil // Go says what is wrong
	}
	n = len(name) + 4
	ascii, ok := posix[name]
	if !ok {
		return rest[:2] + "{" + strings.TrimPrefix(name, "Is") + "}", n, nil
	}
	not := ""
	if rest[1] == 'P' {
		not = "^"
	}
	if class {
		return "[:" + not + ascii + ":]", n, nil
	}
	return "[[:" + not + ascii + ":]]", n, nil
}

package smt

import (
	"fmt"
	"regexp"
	"strings"
)

// Regex is a regular expression as java.util.regex reads it, as far as Go can run it: without
// look-around, backreferences and possessive quantifiers, which are refused.
type Regex struct{ whole, part *regexp.Regexp }

// CompileRegex or say why not.
func CompileRegex(text string) (*Regex, error) {
	part, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid regex: %w", err) //nolint:staticcheck // Kafka Connect's own words
	}
	whole, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("Invalid regex: %w", err) //nolint:staticcheck // see above
	}
	return &Regex{whole, part}, nil
}

// CheckRegex is a check of a key's value.
func CheckRegex(value any) error {
	text, _ := value.(string)
	_, err := CompileRegex(text)
	return err
}

// Matches says whether all of the text is matched.
func (r *Regex) Matches(text string) bool { return r.whole.MatchString(text) }

// ReplaceFirst replaces the first match by a Replacement. The text comes back as it is where there
// is none.
func (r *Regex) ReplaceFirst(text string, with Replacement) string {
	at := r.part.FindStringSubmatchIndex(text)
	if at == nil {
		return text
	}
	return text[:at[0]] + with.expand(text, at) + text[at[1]:]
}

// Replacement is Java's: $1 and ${name} stand for groups, a backslash takes what follows as it is.
type Replacement []piece

// piece is text or, where group is not negative, what a group matched.
type piece struct {
	text  string
	group int
}

// Replacement for matches of r; the error names a group that r does not have.
func (r *Regex) Replacement(text string) (Replacement, error) {
	var all Replacement
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 == len(text):
			return nil, fmt.Errorf("character to be escaped is missing at the end of %q", text)
		case text[i] == '\\':
			i++
			plain.WriteByte(text[i])
		case text[i] == '$':
			group, size, err := r.group(text[i+1:])
			if err != nil {
				return nil, fmt.Errorf("%w in %q", err, text)
			}
			all = append(all, piece{plain.String(), -1}, piece{"", group})
			plain.Reset()
			i += size
		default:
			plain.WriteByte(text[i])
		}
	}
	return append(all, piece{plain.String(), -1}), nil
}

// group reads {name} or digits, as many as name a group that is there.
func (r *Regex) group(text string) (number, size int, err error) {
	if strings.HasPrefix(text, "{") {
		name, _, ok := strings.Cut(text[1:], "}")
		number = r.part.SubexpIndex(name)
		if !ok || number < 0 {
			return 0, 0, fmt.Errorf("no group with name {%s}", name)
		}
		return number, len(name) + 2, nil
	}
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, 0, fmt.Errorf("illegal group reference")
	}
	groups := r.part.NumSubexp()
	if number = int(text[0] - '0'); number > groups {
		return 0, 0, fmt.Errorf("no group %d", number)
	}
	for size = 1; size < len(text) && text[size] >= '0' && text[size] <= '9'; size++ {
		longer := number*10 + int(text[size]-'0')
		if longer > groups {
			break
		}
		number = longer
	}
	return number, size, nil
}

func (p Replacement) expand(text string, at []int) string {
	var b strings.Builder
	for _, one := range p {
		if one.group < 0 {
			b.WriteString(one.text)
		} else if from := at[2*one.group]; from >= 0 {
			b.WriteString(text[from:at[2*one.group+1]])
		}
	}
	return b.String()
}

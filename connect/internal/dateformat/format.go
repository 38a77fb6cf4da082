// Package dateformat writes and reads times in UTC by the patterns of Java's SimpleDateFormat with
// English names, which configurations of Kafka Connect have. Reading is as lenient as Java's: a
// 13th month is one of the next year.
package dateformat

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Format is a pattern. It is safe for use by many goroutines.
type Format struct {
	pattern string
	parts   []part
}

// part is a letter, so many times, or text as it is.
type part struct {
	letter byte
	count  int
	text   string
}

const letters = "GyMdkHmsSEDFwWahKzZYuXL"

// Parse a pattern.
func Parse(pattern string) (*Format, error) {
	f := &Format{pattern: pattern}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, size, ok := quoted(pattern[i:])
			if !ok {
				return nil, fmt.Errorf("Unterminated quote in the date format %q", pattern) //nolint:staticcheck // Java's own words
			}
			f.literal(text)
			i += size
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			if strings.IndexByte(letters, c) < 0 {
				return nil, fmt.Errorf("Illegal pattern character '%c' in the date format %q", c, pattern) //nolint:staticcheck // see above
			}
			from := i
			for i < len(pattern) && pattern[i] == c {
				i++
			}
			if c == 'X' && i-from > 3 {
				return nil, fmt.Errorf("invalid ISO 8601 format: length=%d in the date format %q", i-from, pattern)
			}
			f.parts = append(f.parts, part{letter: c, count: i - from})
		default:
			f.literal(string(c))
			i++
		}
	}
	return f, nil
}

// quoted reads text in single quotes; two of them are one.
func quoted(text string) (inside string, size int, ok bool) {
	if strings.HasPrefix(text, "''") {
		return "'", 2, true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '\'':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '\'':
			b.WriteByte('\'')
			i++
		default:
			return b.String(), i + 1, true
		}
	}
	return "", 0, false
}

func (f *Format) literal(text string) {
	if n := len(f.parts); n > 0 && f.parts[n-1].letter == 0 {
		f.parts[n-1].text += text
		return
	}
	f.parts = append(f.parts, part{text: text})
}

// String is the pattern.
func (f *Format) String() string { return f.pattern }

// Text of a time.
func (f *Format) Text(t time.Time) string {
	t = t.UTC()
	b := make([]byte, 0, len(f.pattern)+8)
	for _, p := range f.parts {
		b = p.append(b, t)
	}
	return string(b)
}

func (p part) append(b []byte, t time.Time) []byte {
	switch p.letter {
	case 0:
		return append(b, p.text...)
	case 'G':
		if t.Year() <= 0 {
			return append(b, "BC"...)
		}
		return append(b, "AD"...)
	case 'M', 'L':
		if p.count >= 3 {
			return append(b, p.name(t.Month().String())...)
		}
	case 'E':
		return append(b, p.name(t.Weekday().String())...)
	case 'a':
		return append(b, t.Format("PM")...)
	case 'z':
		if p.count >= 4 {
			return append(b, "Coordinated Universal Time"...)
		}
		return append(b, "UTC"...)
	case 'Z':
		return append(b, "+0000"...)
	case 'X':
		return append(b, 'Z')
	}
	n, width := p.number(t), p.count
	if p.count == 2 && (p.letter == 'y' || p.letter == 'Y') {
		n %= 100
	}
	for text := strconv.Itoa(n); width > len(text); width-- {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// name is whole, or its first three letters.
func (p part) name(whole string) string {
	if p.count >= 4 {
		return whole
	}
	return whole[:3]
}

func (p part) number(t time.Time) int {
	switch p.letter {
	case 'y':
		if t.Year() <= 0 {
			return 1 - t.Year()
		}
		return t.Year()
	case 'M', 'L':
		return int(t.Month())
	case 'd':
		return t.Day()
	case 'D':
		return t.YearDay()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'H':
		return t.Hour()
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'K':
		return t.Hour() % 12
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'S':
		return t.Nanosecond() / int(time.Millisecond)
	case 'u':
		return (int(t.Weekday())+6)%7 + 1
	case 'F':
		return (t.Day()-1)/7 + 1
	case 'W':
		first := t.AddDate(0, 0, 1-t.Day())
		return (t.Day()-1+int(first.Weekday()))/7 + 1
	}
	year, week := weekOf(t)
	if p.letter == 'Y' {
		return year
	}
	return week
}

// weekOf the year, as in the United States: it begins on Sunday, and the first one has January 1st.
func weekOf(t time.Time) (year, week int) {
	saturday := t.AddDate(0, 0, 6-int(t.Weekday()))
	if saturday.Year() > t.Year() {
		return saturday.Year(), 1
	}
	first := time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	return t.Year(), (t.YearDay()-1+int(first.Weekday()))/7 + 1
}

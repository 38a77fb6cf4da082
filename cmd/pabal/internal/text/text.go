// Package text writes answers for people: aligned tables, times and figures, and
// nothing a message could do to a terminal.
package text

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// Safe shows control signs and what is no UTF-8 as \x1b or \u200b instead of sending
// it to the terminal.
func Safe(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unsafe(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// unsafe are control signs, those that hide or turn text around, and broken bytes.
func unsafe(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Table writes rows under a header, in columns.
func Table(w io.Writer, header []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = Safe(cell); cells[i] == "" && i < len(row)-1 {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // w is a buffer
}

// Fields writes names and values, one a line; empty values are left out.
func Fields(w io.Writer, pairs ...string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", pairs[i], Safe(pairs[i+1]))
		}
	}
	_ = t.Flush() // w is a buffer
}

// Time is RFC 3339 in UTC to the millisecond, "" for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Micros is a latency, "" where it is not known.
func Micros(n int64) string {
	d := time.Duration(n) * time.Microsecond
	switch {
	case n < 0:
		return ""
	case d < time.Millisecond:
		return d.String()
	case d < time.Second:
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + "ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
	}
	return d.Round(time.Second).String()
}

// Number is a figure, "" for -1, which stands for unknown.
func Number[N int | int16 | int32 | int64](n N) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// Cut is at most so many letters of a text, in one line.
func Cut(s string, most int) string {
	if s = strings.Join(strings.Fields(s), " "); utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

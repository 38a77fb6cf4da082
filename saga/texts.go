package saga

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Reasons, for people.

func (r *run[S]) deadlineText() string {
	return fmt.Sprintf("deadline of %s passed", brief(r.d.Deadline))
}

func noAnswer(after time.Duration, attempt int) string {
	return fmt.Sprintf("no answer within %s (attempt %d)", brief(after), attempt)
}

// maxReason bounds what others say of why, in bytes: it is stored with each saga.
const maxReason = 1000

// readable is a foreign text as it can be stored and shown: UTF-8, one line, bounded.
func readable(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= maxReason {
		return text
	}
	cut := maxReason - len("…")
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func orElse(reason, otherwise string) string {
	if reason == "" {
		return otherwise
	}
	return reason
}

// brief is a duration without units that are zero: 5m, not 5m0s.
func brief(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		n := len(text) - len(zero)
		if n > 0 && text[n:] == zero && (text[n-1] < '0' || text[n-1] > '9') {
			text = text[:n]
		}
	}
	return text
}

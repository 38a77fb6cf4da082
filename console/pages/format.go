package pages

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// functions are what templates can call beside the methods of what they show.
func functions(base string, s *static) template.FuncMap {
	return template.FuncMap{
		"path":   func(parts ...any) string { return base + joinPath(parts) },
		"api":    func(parts ...any) string { return base + "/api/v1" + joinPath(parts) },
		"static": func(name string) string { return base + s.url(name) },
		"query":  query,
		"dict":   dict,
		"number": number, "bytes": size, "micros": micros, "rate": rate,
		"stamp": stamp, "clock": clock, "iso": iso, "ago": ago, "since": since,
		"words": words, "short": short, "join": strings.Join, "list": list,
		"plural": plural, "json": tokens, "preview": preview, "pct": percent, "plus1": func(n int) int { return n + 1 }, "stop": stop, "sentence": sentence, "badge": badgeOf, "shortClass": shortClass, "millis": millis, "seconds": seconds, "base64": base64.StdEncoding.EncodeToString,
	}
}

// joinPath escapes each part: joinPath("topics", "a/b") is "/topics/a%2Fb".
func joinPath(parts []any) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(fmt.Sprint(p)))
	}
	return b.String()
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// query makes "?name=value&..." of pairs, leaving out what is empty.
func query(pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("query needs pairs")
	}
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if v := fmt.Sprint(pairs[i+1]); v != "" && v != "false" {
			values.Set(fmt.Sprint(pairs[i]), v)
		}
	}
	return "?" + values.Encode(), nil
}

// dict hands several values to a partial template.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m, nil
}

func list(items ...any) []any { return items }

// number writes any integer with commas; below zero is unknown.
func number(v any) string {
	n := integer(v)
	if n < 0 {
		return "?"
	}
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

func integer(v any) int64 {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return r.Int()
	case r.CanUint():
		return int64(min(r.Uint(), math.MaxInt64))
	}
	return -1
}

// plural is "1 row", "2 rows".
func plural(v any, noun string) string {
	if n := integer(v); n != 1 {
		return number(n) + " " + noun + "s"
	}
	return "1 " + noun
}

func size(v any) string {
	n := float64(integer(v))
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return strconv.FormatFloat(n, 'f', decimals(n, unit == "B"), 64) + " " + unit
		}
		n /= 1024
	}
	return strconv.FormatFloat(n, 'f', 1, 64) + " TiB"
}

func decimals(n float64, whole bool) int {
	if whole || n >= 10 {
		return 0
	}
	return 1
}

func rate(perSecond float64) string {
	return strconv.FormatFloat(perSecond, 'f', decimals(perSecond, false), 64)
}

// micros is a latency for people: two or three digits and a unit.
func micros(v int64) string {
	switch {
	case v < 0:
		return "?"
	case v < 1000:
		return fmt.Sprintf("%d µs", v)
	case v < 10_000:
		return fmt.Sprintf("%.1f ms", float64(v)/1e3)
	case v < 1_000_000:
		return fmt.Sprintf("%d ms", v/1000)
	case v < 10_000_000:
		return fmt.Sprintf("%.2f s", float64(v)/1e6)
	case v < 60_000_000:
		return fmt.Sprintf("%.1f s", float64(v)/1e6)
	}
	return span(time.Duration(v) * time.Microsecond)
}

// span is a duration of a second or more, in its two largest units.
func span(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d days", s/86400)
}

func stamp(t time.Time) string { return layoutTime(t, "2006-01-02 15:04:05.000") }
func clock(t time.Time) string { return layoutTime(t, "15:04:05.000") }
func iso(t time.Time) string   { return layoutTime(t, time.RFC3339Nano) }

func layoutTime(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

func ago(now, t time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "never"
	case d < -time.Second:
		return "in " + span(-d)
	case d < time.Second:
		return "just now"
	default:
		return span(d) + " ago"
	}
}

func since(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return span(max(0, now.Sub(t)))
}

// words makes "relay-stopped" or "in-flight" readable.
func words(v any) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(fmt.Sprint(v)), "-", " "), "_", " ")
}

// stop ends a text that people or programs wrote like a sentence.
func stop(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// sentence also begins it like one.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + stop(s[n:])
}

// short cuts a text to about n characters, in the middle, where ids differ least.
func short(n int, v any) string {
	r := []rune(fmt.Sprint(v))
	if len(r) <= n || n < 4 {
		return string(r)
	}
	head := (n - 1) * 2 / 3
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

// preview is the beginning of a text in one line.
func preview(n int, s string) string {
	begin := s
	if most := utf8.UTFMax * n; len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		begin = s[:most]
	}
	r := []rune(strings.Join(strings.Fields(begin), " "))
	if len(r) <= n && len(begin) == len(s) {
		return string(r)
	}
	return string(r[:min(len(r), n-1)]) + "…"
}

// percent of part in whole, 0 to 100.
func percent(part, whole any) int64 {
	p, w := integer(part), integer(whole)
	if w <= 0 || p <= 0 {
		return 0
	}
	return min(100, p*100/w)
}

// compact is JSON in one line, for an attribute.
func compact(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// millis is a time in milliseconds; below zero is unknown.
func millis(v int64) string {
	if v < 0 {
		return "?"
	}
	return micros(v * 1000)
}

// seconds as words.
func seconds(v int64) string {
	if v < 1 {
		return "0 s"
	}
	return span(time.Duration(v) * time.Second)
}

// shortClass is a Java class without its package.
func shortClass(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

package text

import (
	"strings"
	"testing"
	"time"
)

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"plain, 한글 é":         "plain, 한글 é",
		"\x1b[31mred":         `\x1b[31mred`,
		"a\nb\tc\r":           `a\nb\tc\r`,
		"\u202egnp.exe":       `\u202egnp.exe`,
		"\xff\xfe":            `\xff\xfe`,
		"\u009b31m":           `\u009b31m`,
		"zero\u200bwidth\x00": `zero\u200bwidth\x00`,
	} {
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	Table(&b, []string{"NAME", "LAG", "NOTE"}, [][]string{{"오르", "", "x\x1b"}, {"orders", "12", ""}})
	want := "NAME    LAG  NOTE\n오르      -    x\\x1b\norders  12   \n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestFigures(t *testing.T) {
	for n, want := range map[int64]string{-1: "", 0: "0s", 950: "950µs", 1500: "1.5ms", 2_340_000: "2.34s", 125_000_000: "2m5s"} {
		if got := Micros(n); got != want {
			t.Errorf("Micros(%d) is %s, want %s", n, got, want)
		}
	}
	if Number(int64(-1)) != "" || Number(7) != "7" {
		t.Error("Number")
	}
	if Time(time.Time{}) != "" || Time(time.Unix(0, 0)) != "1970-01-01T00:00:00.000Z" {
		t.Error("Time")
	}
	if got := Cut("a  long\ntext", 7); got != "a long…" {
		t.Error(got)
	}
}

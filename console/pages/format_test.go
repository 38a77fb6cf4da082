package pages

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestFormats(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct{ got, want string }{
		{number(0), "0"}, {number(999), "999"}, {number(int32(1000)), "1,000"}, {number(uint64(math.MaxUint64)), "9,223,372,036,854,775,807"},
		{number(-1), "?"}, {number("x"), "?"},
		{plural(1, "row"), "1 row"}, {plural(0, "row"), "0 rows"}, {plural(int64(1234), "row"), "1,234 rows"}, {plural(-1, "row"), "? rows"},
		{size(0), "0 B"}, {size(1023), "1023 B"}, {size(1024), "1.0 KiB"}, {size(int64(20 << 20)), "20 MiB"}, {size(3 << 30), "3.0 GiB"}, {size(int64(5 << 40)), "5.0 TiB"},
		{micros(-1), "?"}, {micros(0), "0 µs"}, {micros(999), "999 µs"}, {micros(1500), "1.5 ms"}, {micros(12_345), "12 ms"},
		{micros(1_500_000), "1.50 s"}, {micros(12_340_000), "12.3 s"}, {micros(61_000_000), "1 min 1 s"},
		{span(0), "0 s"}, {span(59 * time.Second), "59 s"}, {span(time.Hour - time.Second), "59 min 59 s"}, {span(47*time.Hour + 30*time.Minute), "47 h 30 min"}, {span(50 * time.Hour), "2 days"},
		{rate(0), "0.0"}, {rate(3.14159), "3.1"}, {rate(1234.5), "1234"},
		{stamp(time.Time{}), ""}, {stamp(now), "2026-03-01 12:00:00.000"}, {clock(now), "12:00:00.000"}, {iso(now.In(time.FixedZone("x", 3600))), "2026-03-01T12:00:00Z"},
		{ago(now, time.Time{}), "never"}, {ago(now, now), "just now"}, {ago(now, now.Add(-90*time.Second)), "1 min 30 s ago"}, {ago(now, now.Add(5*time.Second)), "in 5 s"},
		{since(now, now.Add(time.Hour)), "0 s"}, {since(now, time.Time{}), ""}, {since(now, now.Add(-time.Minute)), "1 min 0 s"},
		{words("relay-stopped"), "relay stopped"}, {words("IN_FLIGHT"), "in flight"},
		{fmt.Sprint(percent(1, 3)), "33"}, {fmt.Sprint(percent(5, 0)), "0"}, {fmt.Sprint(percent(9, 3)), "100"}, {fmt.Sprint(percent(-1, 3)), "0"},
		{joinPath([]any{"topics", "a/b c", 3}), "/topics/a%2Fb%20c/3"}, {joinPath([]any{""}), "/"},
		{compact(map[string]any{"a": 1}), `{"a":1}`}, {compact(func() {}), ""},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestQueryLeavesOutWhatIsEmpty(t *testing.T) {
	got, err := query("a", "", "b", false, "c", true, "d", "x&y", "e", 0)
	if want := "?c=true&d=x%26y&e=0"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if _, err := query("a"); err == nil {
		t.Error("half a pair is taken")
	}
	if _, err := dict("a"); err == nil {
		t.Error("half a pair is taken")
	}
}

func TestShortAndPreview(t *testing.T) {
	tests := []struct{ got, want string }{
		{short(5, "abcde"), "abcde"}, {short(5, "abcdefgh"), "ab…gh"}, {short(8, "äöüßäöüßäöüß"), "äöüß…öüß"}, {short(3, "abcdef"), "abcdef"}, {short(6, 1234567), "123…67"},
		{preview(5, "abcde"), "abcde"}, {preview(5, "a\n\tb"), "a b"}, {preview(5, "abcdef"), "abcd…"}, {preview(3, "😀😀😀"), "😀😀😀"}, {preview(3, "😀😀😀😀"), "😀😀…"},
		{preview(3, "a          é"), "a…"}, {preview(3, strings.Repeat(" ", 100)+"x"), "…"}, {preview(5, ""), ""},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestShortAndPreviewOfRandomText(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	signs := []rune("ab \n\té漢😀")
	for range 2000 {
		text := make([]rune, r.IntN(60))
		for i := range text {
			text[i] = signs[r.IntN(len(signs))]
		}
		n := 4 + r.IntN(20)
		for name, got := range map[string]string{"short": short(n, string(text)), "preview": preview(n, string(text))} {
			if len([]rune(got)) > n || !utf8.ValidString(got) || strings.ContainsRune(got, utf8.RuneError) {
				t.Fatalf("%s(%d, %q) is %q", name, n, string(text), got)
			}
		}
		preview(n, string([]byte{byte(r.Uint32()), 0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80})+string(text)) // does not panic
	}
}

func TestBadges(t *testing.T) {
	tests := []struct {
		state any
		want  badge
	}{
		{"done", badge{"done", "ok", "check"}},
		{"Stable", badge{"Stable", "ok", "check"}},
		{"FAILED", badge{"FAILED", "bad", "cross"}},
		{"in-flight", badge{"in-flight", "info", "clock"}},
		{"paused", badge{"paused", "warn", "alert"}},
		{"never heard of", badge{"never heard of", "idle", "question"}},
		{nil, badge{"<nil>", "idle", "question"}},
	}
	for _, test := range tests {
		if got := badgeOf(test.state); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.state, got, test.want)
		}
	}
	for state, tone := range tones {
		if toneIcons[tone] == "" {
			t.Errorf("%s has the tone %q, which has no icon", state, tone)
		}
	}
}

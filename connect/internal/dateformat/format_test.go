package dateformat

import (
	"testing"
	"time"
)

func TestText(t *testing.T) {
	at := time.Date(2024, 12, 30, 0, 7, 9, 45e6, time.UTC)
	for pattern, want := range map[string]string{
		"yyyyMMdd": "20241230", "yy": "24", "y": "2024", "yyyyy": "02024", "M": "12", "MMM": "Dec", "MMMM": "December", "EEE, EEEE": "Mon, Monday",
		"H k K h a": "0 24 0 12 AM", "m:ss.SSS": "7:09.045", "D": "365", "w YYYY W F u": "1 2025 5 5 1", "G z Z X": "AD UTC +0000 Z",
		"yyyy-MM-dd'T'HH:mm:ss'Z'": "2024-12-30T00:07:09Z", "''yy 'o''clock'": "'24 o'clock", "d/": "30/",
	} {
		f, err := Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Text(at); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"yyyy-MM-dd", "2024-02-29", "2024-02-29T00:00:00"},
		{"yyyy-MM-dd", "2024-13-01 and more", "2025-01-01T00:00:00"},
		{"yyyyMMddHHmmss", "20240229130509", "2024-02-29T13:05:09"},
		{"yyyy-MM-dd", "2024/02/29", ""},
		{"yyyy-MM-dd", "x", ""},
		{"dd MMM yyyy h:mm a", "3 Mar 2021 12:30 am", "2021-03-03T00:30:00"},
		{"MMMM d, yyyy hh a", "march 3, 2021 11 PM", "2021-03-03T23:00:00"},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSX", "2021-03-03T10:00:00.250+02:00", "2021-03-03T08:00:00.25"},
		{"HH:mm z", "10:00 PST", "1970-01-01T18:00:00"},
		{"HH:mm Z", "10:00 -0130", "1970-01-01T11:30:00"},
		{"yy D", "99 32", "1999-02-01T00:00:00"},
		{"y G", "5 BC", "-0004-01-01T00:00:00"},
		{"yyyy ww", "2024 05", ""},
	} {
		f, err := Parse(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := f.Time(c.text)
		if ok != (c.want != "") || ok && got.Format("2006-01-02T15:04:05.999") != c.want {
			t.Errorf("%s of %s: %s, want %s", c.pattern, c.text, got, c.want)
		}
	}
}

func TestWrongPatterns(t *testing.T) {
	for _, pattern := range []string{"yyyy-bb", "'open", "XXXX"} {
		if _, err := Parse(pattern); err == nil {
			t.Errorf("%s is no pattern", pattern)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2021-03-03T10:00:00.250+02:00")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if f, err := Parse(pattern); err == nil {
			if at, ok := f.Time(text); ok {
				f.Text(at)
			}
		}
	})
}

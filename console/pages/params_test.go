package pages

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

func TestFromParam(t *testing.T) {
	tests := []struct{ from, at, want string }{
		{"latest", "ignored", "latest"}, {"earliest", "", "earliest"}, {"", "", ""}, {"nonsense", "", "nonsense"}, // the engine says so
		{"offset", "12", "offset:12"}, {"offset", "012", "offset:12"},
		{"time", "2026-01-31T12:00:00+01:00", "time:2026-01-31T11:00:00Z"}, {"time", "2026-01-31T12:00", "time:2026-01-31T12:00:00Z"},
		{"time", "2026-01-31 12:00", "time:2026-01-31T12:00:00Z"}, {"time", "2026-01-31", "time:2026-01-31T00:00:00Z"},
		{"offset", "", "!"}, {"offset", "-1", "!"}, {"offset", "x", "!"}, {"offset", "99999999999999999999", "!"}, {"time", "", "!"}, {"time", "yesterday", "!"}, {"time", "2026-02-31", "!"},
	}
	for _, test := range tests {
		got, err := fromParam(test.from, test.at)
		if test.want == "!" {
			if !errors.Is(err, api.ErrInvalid) || !strings.Contains(err.Error(), `"`+test.at+`"`) {
				t.Errorf("%q %q: %q, %v", test.from, test.at, got, err)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%q %q: %q, %v, want %q", test.from, test.at, got, err, test.want)
		}
		if kind, at := splitFrom(got, ""); at != "" { // a link with the API's word comes to the same
			if again, err := fromParam(kind, at); again != got || err != nil {
				t.Errorf("%q comes back as %q, %v", got, again, err)
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, p := range []inbox.Place{{Topic: "orders", Partition: 3, Offset: 1 << 40}, {Topic: "a/b c", Partition: 0, Offset: 0}} {
		got, err := placeParam(placeText(p))
		if err != nil || *got != p {
			t.Errorf("%+v became %+v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"1", "1/2", "x/2/t", "1/x/t", "99999999999/1/t", "//"} {
		if got, err := placeParam(bad); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%q is taken as %+v, %v", bad, got, err)
		}
	}
	if p, err := placeParam(""); p != nil || err != nil {
		t.Errorf("nothing is %+v, %v", p, err)
	}
}

func TestPartitionParam(t *testing.T) {
	for text, want := range map[string]int32{"": -1, "0": 0, " 7 ": 7, "-1": -2, "x": -2, "4294967296": -2, "1.5": -2} {
		got, err := partitionParam(httptest.NewRequest("GET", "/?partition="+url.QueryEscape(text), nil))
		switch {
		case want == -2:
			if !errors.Is(err, api.ErrInvalid) {
				t.Errorf("%q is taken: %v", text, err)
			}
		case err != nil, (got == nil) != (want == -1), got != nil && *got != want:
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestLocalPath(t *testing.T) {
	tests := []struct{ base, next, want string }{
		{"", "/topics?x=1#y", "/topics?x=1#y"}, {"", "/", "/"}, {"", "", "/"},
		{"/pabal", "", "/pabal/"}, {"/pabal", "/pabal", "/pabal"}, {"/pabal", "/pabal/topics", "/pabal/topics"}, {"/pabal", "/topics", "/pabal/topics"},
		{"/pabal", "/pabalevil", "/pabal/pabalevil"},
		{"", "//evil", "/"}, {"", `/\evil`, "/"}, {"", `\\evil`, "/"}, {"", "https://evil", "/"}, {"", "javascript:alert(1)", "/"}, {"", "evil", "/"},
		{"", "/\t/evil", "/"}, {"", "/\n/evil", "/"}, {"", "/\r\n", "/"}, {"/pabal", "//evil", "/pabal/"}, {"/pabal", `/pabal/\evil`, "/pabal/"}, {"/pabal", "@evil", "/pabal/"},
		{"", "/traces?search={password}", "/traces?search=%7Bpassword%7D"}, // which the form's script would fill in
	}
	for _, test := range tests {
		got := localPath(test.base, test.next)
		if got != test.want {
			t.Errorf("%q with base %q leads to %q, want %q", test.next, test.base, got, test.want)
		}
		there, err := url.Parse("https://console.example/login")
		if err == nil {
			there, err = there.Parse(got)
		}
		if err != nil || there.Host != "console.example" || there.Scheme != "https" {
			t.Errorf("%q leads to %v, %v", got, there, err)
		}
	}
}

func TestAPIURL(t *testing.T) {
	for _, base := range []string{"", "/pabal"} {
		for _, path := range []string{"redrives", "/redrives", "/api/v1/redrives", base + "/api/v1/redrives"} {
			if got := (view{base: base}).apiURL(path); got != base+"/api/v1/redrives" {
				t.Errorf("base %q: %q is %q", base, path, got)
			}
		}
	}
}

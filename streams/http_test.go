package streams

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

type answer struct {
	status  int
	kind    string // of the content
	problem problem
	body    []byte
}

func (in *instance) fetch(path string) answer {
	in.t.Helper()
	resp, err := http.Get(in.server.URL + path)
	if err != nil {
		in.t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, kind: resp.Header.Get("Content-Type")}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		in.t.Fatal(err)
	}
	if a.kind == "application/problem+json" {
		if err := json.Unmarshal(a.body, &a.problem); err != nil || a.problem.Status != a.status || a.problem.Title == "" {
			in.t.Fatalf("%s: the problem is %s, %v", path, a.body, err)
		}
	}
	return a
}

func (in *instance) decode(path string, into any) {
	in.t.Helper()
	a := in.fetch(path)
	if a.status != 200 || a.kind != "application/json" {
		in.t.Fatalf("%s: %d %s %s", path, a.status, a.kind, a.body)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		in.t.Fatal(err)
	}
}

func TestHandlerStores(t *testing.T) {
	f := threeInstances(t)
	var all struct{ Stores []StoreInfo }
	f.all[0].decode("/stores", &all)
	var names []string
	for _, s := range all.Stores {
		names = append(names, s.Name+" "+s.Kind)
		if want := map[bool]int{false: 6, true: 1}[s.Global]; len(s.Places) != want {
			t.Errorf("%s has %d partitions", s.Name, len(s.Places))
		}
	}
	slices.Sort(names)
	if got := strings.Join(names, ", "); got != "counts key-value, everywhere key-value, sessions session, windows window" {
		t.Errorf("got %s", got)
	}
	var one StoreInfo
	f.all[1].decode("/stores/counts", &one)
	if p := one.Places[2]; p.Active == nil || !p.Active.Local || p.Active.Endpoint != f.all[1].server.URL {
		t.Errorf("partition 2 is at %+v", p.Active)
	}
}

func TestHandlerKeys(t *testing.T) {
	f := threeInstances(t)
	f.fill(50)
	f.put("counts", "a/b c%2F?", nil, number(77), 5)
	for _, in := range f.all {
		var e Entry
		in.decode("/stores/counts/keys/k042", &e)
		if e.Key != "k042" || e.Value != 42.0 || e.Timestamp != 1042 || e.WindowStart != nil {
			t.Errorf("%s: %+v", in.name, e)
		}
		in.decode("/stores/counts/keys/"+url.PathEscape("a/b c%2F?"), &e)
		if e.Value != 77.0 {
			t.Errorf("%s: %+v", in.name, e)
		}
		var page struct {
			Entries []Entry
			Next    string
		}
		in.decode("/stores/windows/keys/k042?timeFrom=1000", &page)
		if len(page.Entries) != 2 || page.Entries[0].Value != 421.0 || *page.Entries[0].WindowStart != 1000 || *page.Entries[0].WindowEnd != 2000 || page.Next != "" {
			t.Errorf("%s: %+v", in.name, page)
		}
		in.decode("/stores/sessions/keys/k042?timeTo=1970-01-01T00:00:06Z", &page)
		if len(page.Entries) != 2 || page.Entries[1].Value != 4201.0 {
			t.Errorf("%s: %+v", in.name, page)
		}
	}
}

// TestHandlerPages: pages of any size are all the entries, once, in both directions.
func TestHandlerPages(t *testing.T) {
	f := threeInstances(t)
	f.fill(60)
	for _, c := range []struct {
		path string
		want int
	}{
		{"/stores/counts/entries?", 60}, {"/stores/counts/entries?reverse=true&", 60}, {"/stores/counts/entries?from=k010&to=k019&", 10},
		{"/stores/counts/entries?prefix=k02&", 10}, {"/stores/windows/entries?", 180}, {"/stores/windows/entries?reverse=true&", 180},
		{"/stores/windows/entries?from=k010&to=k019&timeFrom=1000&", 20}, {"/stores/windows/keys/k003?", 3},
		{"/stores/sessions/entries?", 180}, {"/stores/sessions/keys/k003?reverse=true&", 3}, {"/stores/sessions/entries?prefix=nobody&", 0},
	} {
		for _, limit := range []int{1, 7, 60, 1000} {
			seen := map[string]bool{}
			cursor, pages := "", 0
			for {
				var page struct {
					Entries []json.RawMessage
					Next    string
				}
				f.all[0].decode(fmt.Sprintf("%slimit=%d&cursor=%s", c.path, limit, cursor), &page)
				if len(page.Entries) > limit {
					t.Fatalf("%s: %d entries of %d", c.path, len(page.Entries), limit)
				}
				for _, e := range page.Entries {
					if seen[string(e)] {
						t.Fatalf("%s, limit %d: %s comes twice", c.path, limit, e)
					}
					seen[string(e)] = true
				}
				if pages++; page.Next == "" || pages > 300 {
					break
				}
				cursor = page.Next
			}
			if len(seen) != c.want {
				t.Errorf("%s, limit %d: %d entries on %d pages, want %d", c.path, limit, len(seen), pages, c.want)
			}
		}
	}
}

func TestHandlerProblems(t *testing.T) {
	f := threeInstances(t)
	f.fill(5)
	a := f.all[0]
	f.take(a, 0)
	away := f.keyAt(1)
	restoring := "" // of partition 0
	for n := 0; restoring == ""; n++ {
		if key := fmt.Sprint("x", n); partitionOf([]byte(key), 6) == 0 {
			restoring = key
		}
	}
	for path, want := range map[string]string{
		"/stores/nothing":                           "404 no-store",
		"/stores/nothing/keys/k":                    "404 no-store",
		"/nothing":                                  "404 not-found",
		"/stores/counts/entries?limit=0":            "400 invalid",
		"/stores/counts/entries?limit=x":            "400 invalid",
		"/stores/counts/entries?cursor=x":           "400 invalid",
		"/stores/counts/entries?reverse=maybe":      "400 invalid",
		"/stores/counts/entries?stale=x":            "400 invalid",
		"/stores/windows/entries?timeFrom=yes":      "400 invalid",
		"/stores/counts/partitions/6/get?key=":      "404 not-found",
		"/stores/counts/partitions/x/get?key=":      "404 not-found",
		"/stores/counts/partitions/1/get?key=!":     "400 invalid",
		"/stores/counts/partitions/1/scan":          "400 invalid",
		"/stores/counts/partitions/2/scan?limit=10": "421 elsewhere",
		"/stores/counts/keys/" + restoring:          "503 not-ready",
	} {
		r := a.fetch(path)
		if got := fmt.Sprintf("%d %s", r.status, strings.TrimPrefix(r.problem.Type, problemPrefix)); got != want {
			t.Errorf("%s: %s (%s), want %s", path, got, r.body, want)
		}
	}
	missing := ""
	for n := 0; missing == ""; n++ {
		if key := fmt.Sprint("y", n); partitionOf([]byte(key), 6) == 1 {
			missing = key
		}
	}
	if r := a.fetch("/stores/counts/keys/" + missing); r.status != 404 || r.problem.Type != problemPrefix+"not-found" || !strings.Contains(r.problem.Detail, missing) {
		t.Errorf("a key that is not there: %s", r.body)
	}
	f.all[1].server.Close()
	if r := a.fetch("/stores/counts/keys/" + away); r.status != 502 || !strings.Contains(r.problem.Detail, f.all[1].server.URL) {
		t.Errorf("an instance that is down: %s", r.body)
	}
	if resp, err := http.Post(a.server.URL+"/stores/counts/keys/k", "text/plain", nil); err != nil || resp.StatusCode < 400 {
		t.Errorf("a POST: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
}

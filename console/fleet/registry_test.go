package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
)

var began = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func record(a admin.Announcement) (key, value []byte) {
	value, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return []byte(a.Key()), value
}

func at(name, instance, url string) admin.Announcement {
	return admin.Announcement{Name: name, Instance: instance, URL: url}
}

func names(all []instance) string {
	var out []string
	for _, x := range all {
		out = append(out, x.Key())
	}
	return strings.Join(out, " ")
}

func TestRegistryKeepsWhoWasHeardLately(t *testing.T) {
	r := &newFleet(t, Config{}).registry
	hear := func(a admin.Announcement, written, now time.Time) {
		key, value := record(a)
		r.hear(key, value, written, now)
	}
	const url = "http://127.0.0.1:1/admin"
	hear(at("b", "1", url), began, began)
	hear(at("a", "1", url), began, began)
	hear(at("a", "0", url), began.Add(-29*time.Second), began)
	hear(at("old", "1", url), began.Add(-30*time.Second), began)
	if got := names(r.live(began)); got != "a/0 a/1 b/1" {
		t.Errorf("live: %s", got)
	}
	later := began.Add(29 * time.Second)
	hear(at("b", "1", url), later, later)
	if got := names(r.live(later)); got != "a/1 b/1" {
		t.Errorf("29 s later: %s", got)
	}
	hear(at("a", "1", ""), later, later)
	if got := names(r.live(later)); got != "b/1" {
		t.Errorf("after a goodbye: %s", got)
	}
	r.hear([]byte("b/1"), nil, later, later)
	if got := names(r.live(later)); got != "" {
		t.Errorf("after a tombstone: %s", got)
	}
}

// TestKafkaAway: while no announcement can come, nobody is gone.
func TestKafkaAway(t *testing.T) {
	r := &newFleet(t, Config{}).registry
	key, value := record(at("a", "1", "http://127.0.0.1:1/admin"))
	r.kafkaAnswers(began)
	r.hear(key, value, began, began)
	r.kafkaAnswers(began.Add(10 * time.Second))
	for after, want := range map[time.Duration]string{25: "a/1", 60: "a/1", 3600: "a/1"} {
		if got := names(r.live(began.Add(after * time.Second))); got != want {
			t.Errorf("%d s later: %q, want %q", after, got, want)
		}
	}
	back := began.Add(time.Hour)
	r.kafkaAnswers(back)
	if got := names(r.live(back.Add(9 * time.Second))); got != "a/1" {
		t.Errorf("when Kafka is back: %q", got)
	}
	r.kafkaAnswers(back.Add(9 * time.Second))
	r.kafkaAnswers(back.Add(19 * time.Second))
	if got := names(r.live(back.Add(20 * time.Second))); got != "" {
		t.Errorf("without an announcement since: %q", got)
	}
}

func TestHostileAnnouncements(t *testing.T) {
	r := &newFleet(t, Config{}).registry
	good := at("payment", "1", "http://127.0.0.1:1/admin")
	key, value := record(good)
	long := strings.Repeat("x", 300)
	for what, x := range map[string][2]string{
		"no JSON":           {"a/1", "{"},
		"another type":      {"a/1", `{"name":["a"],"instance":"1","url":"http://127.0.0.1"}`},
		"an array":          {"a/1", `[]`},
		"null":              {"a/1", `null`},
		"empty":             {"a/1", ``},
		"no name":           {"/1", `{"instance":"1","url":"http://127.0.0.1"}`},
		"no instance":       {"a/", `{"name":"a","url":"http://127.0.0.1"}`},
		"another key":       {"payment/1", `{"name":"a","instance":"1","url":"http://127.0.0.1"}`},
		"another's goodbye": {"payment/1", `{"name":"a","instance":"1","url":""}`},
		"a long name":       {long + "/1", `{"name":"` + long + `","instance":"1","url":"http://127.0.0.1"}`},
		"a long URL":        {"a/1", `{"name":"a","instance":"1","url":"http://127.0.0.1/` + strings.Repeat("x", 2000) + `"}`},
		"a huge value":      {"a/1", `{"name":"a","instance":"1","url":"http://127.0.0.1","pad":"` + strings.Repeat("x", 1<<20) + `"}`},
		"not printable":     {"a\n/1", `{"name":"a\n","instance":"1","url":"http://127.0.0.1"}`},
		"turned around":     {"a\u202e/1", `{"name":"a\u202e","instance":"1","url":"http://127.0.0.1"}`},
		"a deep value":      {"a/1", strings.Repeat("[", 4000)},
		"a version in HTML": {"a/1", `{"name":"a","instance":"1","url":"http://127.0.0.1","version":"` + "\u0007" + `"}`},
	} {
		r.hear(key, value, began, began)
		r.hear([]byte(x[0]), []byte(x[1]), began, began)
		if got := names(r.live(began)); got != "payment/1" {
			t.Errorf("%s: live are %s", what, got)
		}
	}
	// One that claims to be of the future is as old as it came.
	good.At = began.AddDate(10, 0, 0)
	key, value = record(good)
	r.hear(key, value, began, began)
	if got := names(r.live(began.Add(admin.Expiry))); got != "" {
		t.Errorf("from the future: %s", got)
	}
}

// TestFlood: however many are announced, the memory is bounded, and who was
// there before stays.
func TestFlood(t *testing.T) {
	r := &newFleet(t, Config{}).registry
	hear := func(a admin.Announcement) {
		key, value := record(a)
		r.hear(key, value, began, began)
	}
	hear(at("payment", "1", "http://127.0.0.1:1/admin"))
	for i := range 10_000 {
		hear(at(fmt.Sprint("a", i), "1", "http://127.0.0.1:2/admin"))
		hear(at(fmt.Sprint("b", i), "1", "file:///etc/passwd"))
	}
	hear(at("payment", "1", "http://127.0.0.1:3/admin")) // renewed
	all := r.live(began)
	called, refused, found := 0, 0, false
	for _, x := range all {
		found = found || x.Name == "payment" && x.URL == "http://127.0.0.1:3/admin"
		if x.refused == "" {
			called++
		} else {
			refused++
		}
	}
	if called != maxInstances || refused != maxRefused || !found {
		t.Errorf("%d are called, %d refused, payment there: %v", called, refused, found)
	}
	// One kind cannot become the other's by renewing itself.
	for i := range 10_000 {
		hear(at(fmt.Sprint("a", i), "1", "file:///etc/passwd"))
	}
	if n := len(r.live(began)); n > maxInstances+maxRefused {
		t.Errorf("%d are kept", n)
	}
	later := began.Add(admin.Expiry)
	key, value := record(at("late", "1", "http://127.0.0.1:1/admin"))
	r.hear(key, value, later, later)
	if got := names(r.live(later)); got != "late/1" {
		t.Errorf("after the flood: %s", got)
	}
}

package fleet

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/admin"
)

// Bounds of what announcements can make the console keep.
const (
	maxInstances = 1000 // that may be called
	maxRefused   = 100  // shown, and not called
	maxName      = 200  // bytes
	maxURL       = 1000
	maxValue     = 8 << 10
)

// registry is who announced himself.
type registry struct {
	allow allowList
	log   *slog.Logger

	mu      sync.Mutex
	all     map[string]instance // by the record's key
	refused int                 // of all
	// contact is when Kafka answered last.
	contact time.Time
	// swept: the expired were forgotten. complained: there were too many, and it
	// was logged.
	swept, complained time.Time
}

type instance struct {
	admin.Announcement
	// seen is when it was announced, expires when it is gone without another.
	seen, expires time.Time
	// refused says why it is not called, "" where it may be.
	refused string
	// answered the last time it was asked.
	answered bool
}

// hear takes a record that was written at a time. What is no announcement is
// left out.
func (r *registry) hear(key, value []byte, at, now time.Time) {
	a, ok := parse(key, value)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !ok:
	case a.URL == "":
		r.drop(string(key))
	case now.Sub(at) < admin.Expiry:
		r.keep(string(key), a, at, now)
	}
}

func parse(key, value []byte) (a admin.Announcement, ok bool) {
	if value == nil {
		return a, true
	}
	if len(key) > 2*maxName+1 || len(value) > maxValue || json.Unmarshal(value, &a) != nil {
		return a, false
	}
	ok = isName(a.Name) && isName(a.Instance) && a.Key() == string(key) && len(a.URL) <= maxURL && utf8.ValidString(a.URL) &&
		len(a.Version) <= maxName && isText(a.Version)
	return a, ok
}

func isName(s string) bool { return s != "" && len(s) <= maxName && isText(s) }

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// keep adds or renews an instance while there is room for its kind.
func (r *registry) keep(key string, a admin.Announcement, at, now time.Time) {
	was, known := r.all[key]
	x := instance{Announcement: a, seen: at, expires: at.Add(admin.Expiry), answered: known && was.answered && was.URL == a.URL}
	if err := r.allow.check(a.URL); err != nil {
		x.refused = err.Error()
	}
	sameKind := known && (was.refused == "") == (x.refused == "")
	if !sameKind && !r.room(x.refused != "", now) {
		if now.Sub(r.complained) > time.Minute {
			r.complained = now
			r.log.Warn("more services are announced than the console keeps; some are left out", "kept", len(r.all))
		}
		return
	}
	r.drop(key)
	r.all[key] = x
	if x.refused != "" {
		r.refused++
	}
}

func (r *registry) drop(key string) {
	if r.all[key].refused != "" {
		r.refused--
	}
	delete(r.all, key)
}

// sweepEvery bounds the work that a flood can cause.
const sweepEvery = time.Second

func (r *registry) room(refused bool, now time.Time) bool {
	if !r.full(refused) {
		return true
	}
	if now.Sub(r.swept).Abs() < sweepEvery {
		return false
	}
	r.forgetExpired(now)
	return !r.full(refused)
}

func (r *registry) full(refused bool) bool {
	if refused {
		return r.refused >= maxRefused
	}
	return len(r.all)-r.refused >= maxInstances
}

func (r *registry) forgetExpired(now time.Time) {
	r.swept = now
	if r.away(now) {
		now = r.contact
	}
	for key, x := range r.all {
		if !now.Before(x.expires) {
			r.drop(key)
		}
	}
}

// awayAfter is how long Kafka may be silent. Then nobody's announcement can come,
// and nobody is taken for gone: it is now that an operator looks at the services.
const awayAfter = 10 * time.Second

func (r *registry) away(now time.Time) bool {
	return !r.contact.IsZero() && now.Sub(r.contact) > awayAfter
}

// kafkaAnswers takes note of it. The time it was away does not count.
func (r *registry) kafkaAnswers(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away(now) {
		for key, x := range r.all {
			x.expires = x.expires.Add(now.Sub(r.contact))
			r.all[key] = x
		}
	}
	r.contact = now
}

// live are the instances heard of lately, by name and instance.
func (r *registry) live(now time.Time) []instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetExpired(now)
	all := make([]instance, 0, len(r.all))
	for _, x := range r.all {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b instance) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Instance, b.Instance))
	})
	return all
}

// note remembers who answered: they are asked first the next time.
func (r *registry) note(a admin.Announcement, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x, ok := r.all[a.Key()]; ok && x.URL == a.URL {
		x.answered = answered
		r.all[a.Key()] = x
	}
}

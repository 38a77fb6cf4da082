package auth

import (
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// A name from an address may fail 5 times, then once every 12 seconds; an address
// under any names 20 times, then once every 3 seconds.
var (
	perName    = rate{5, 12 * time.Second}
	perAddress = rate{20, 3 * time.Second}
)

// maxBuckets bounds what is remembered of failures.
const maxBuckets = 8192

type rate struct {
	burst float64
	each  time.Duration
}

// limiter slows guessing down. Success is never slowed but by failures before it.
type limiter struct {
	clock   func() time.Time
	mu      sync.Mutex
	buckets map[bucketKey]bucket
}

// bucketKey with an empty name is the address as a whole.
type bucketKey struct{ address, name string }

func (k bucketKey) rate() rate {
	if k.name == "" {
		return perAddress
	}
	return perName
}

// bucket has so many failures left at that time.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(clock func() time.Time) *limiter {
	return &limiter{clock: clock, buckets: map[bucketKey]bucket{}}
}

// take counts an attempt as a failure before it is known to be one, so that many at
// the same time are no way around; it is an error where there were too many.
func (l *limiter) take(from, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(from, name) {
		if b := l.now(k); b.left < 1 {
			wait := time.Duration((1 - b.left) * float64(k.rate().each))
			return fmt.Errorf("%w: too many failed logins; try again in %d s", api.ErrBusy, int(math.Ceil(wait.Seconds())))
		}
	}
	l.add(from, name, -1)
	return nil
}

// giveBack undoes take for an attempt that was not judged.
func (l *limiter) giveBack(from, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(from, name, 1)
}

// succeeded undoes take and forgives the name, not the address: who has one account
// could otherwise go on guessing at others.
func (l *limiter) succeeded(from, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(from, name, 1)
	delete(l.buckets, bucketKey{network(from), "=" + short(name)})
}

func (l *limiter) add(from, name string, n float64) {
	for _, k := range keys(from, name) {
		b := l.now(k)
		b.left = max(0, min(k.rate().burst, b.left+n))
		if _, known := l.buckets[k]; !known && len(l.buckets) >= maxBuckets {
			l.evict()
		}
		l.buckets[k] = b
	}
}

// now is how a bucket stands at present.
func (l *limiter) now(k bucketKey) bucket {
	r, now := k.rate(), l.clock()
	b, known := l.buckets[k]
	if !known {
		return bucket{r.burst, now}
	}
	gained := max(0, float64(now.Sub(b.at))/float64(r.each))
	return bucket{min(r.burst, b.left+gained), now}
}

// sampled is how many buckets evict looks at: enough to find one that has recovered,
// few enough that a flood of names costs no time.
const sampled = 64

// evict forgets, of some buckets, the one that has most left.
func (l *limiter) evict() {
	var fullest bucketKey
	most, looked := -1.0, 0
	for k := range l.buckets {
		if share := l.now(k).left / k.rate().burst; share > most {
			fullest, most = k, share
		}
		if looked++; looked == sampled || most == 1 {
			break
		}
	}
	delete(l.buckets, fullest)
}

// keys are the address as a whole and the name from it.
func keys(from, name string) []bucketKey {
	address := network(from)
	return []bucketKey{{address, ""}, {address, "=" + short(name)}}
}

// network is what one guesser has: an IPv4 address, or a /64 of IPv6.
func network(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return short(from)
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64)
	return p.String()
}

// short keeps a name from being a megabyte of memory.
func short(s string) string { return s[:min(len(s), 64)] }

package redrive

import "time"

// bucket is a token bucket: it fills with rate tokens a second, up to size. The
// zero time is not asked for; a new bucket is full.
type bucket struct {
	rate   float64
	size   float64
	tokens float64
	at     time.Time
}

func newBucket(rate float64, size int, now time.Time) *bucket {
	return &bucket{rate: rate, size: float64(size), tokens: float64(size), at: now}
}

// take takes n tokens, at most size, and returns how long to wait before they are
// there; what is taken in advance others wait for.
func (b *bucket) take(n int, now time.Time) time.Duration {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(b.size, b.tokens+passed*b.rate)
	}
	b.at = now
	b.tokens -= float64(n)
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// portionSize is how many letters are sent at a time: a fifth of a second's.
func portionSize(perSecond float64) int { return int(min(500, max(1, perSecond/5))) }

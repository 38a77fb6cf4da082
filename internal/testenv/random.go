package testenv

import (
	crand "crypto/rand"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const envSeed = "PABAL_TEST_SEED"

// Rand returns random numbers whose seed a failing test prints; the variable
// PABAL_TEST_SEED repeats it. It is not safe for concurrent use.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv(envSeed); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("%s is no seed: %v", envSeed, err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat this test with %s=%d", envSeed, seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// Prefix returns a start for the names of this test's topics, groups and
// transactional ids that no other test and no earlier run has used. It ends
// with a dash and is at most 40 bytes long.
func Prefix(t testing.TB) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(t.Name()))
	return name[:min(len(name), 28)] + "-" + strings.ToLower(crand.Text()[:10]) + "-"
}

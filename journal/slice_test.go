package journal

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestSliceVectors(t *testing.T) {
	for id, want := range map[string]int{
		"p1": 449, "p2": 450, "p10": 655, "p11": 656, "p500": 645, "p92": 905,
		"order|1": 253, "주문|서울-1": 512, "cart|😀": 959, "polygenelubricants": 0, "": 0,
	} {
		if got := SliceOf(id); got != want {
			t.Errorf("SliceOf(%q) = %d, want %d", id, got, want)
		}
	}
}

// plainSlice follows the definition word by word, with numbers of any size: the sum
// of s[i]*31^(n-1-i) over UTF-16 units, as a 32-bit two's complement number,
// remainder by 1024 with the sign of the dividend, absolute value.
func plainSlice(id string) int {
	var units []int64
	for _, r := range id {
		if r < 0x10000 {
			units = append(units, int64(r))
			continue
		}
		r -= 0x10000
		units = append(units, int64(0xd800+r>>10), int64(0xdc00+r&0x3ff))
	}
	sum := new(big.Int)
	for i, unit := range units {
		power := new(big.Int).Exp(big.NewInt(31), big.NewInt(int64(len(units)-1-i)), nil)
		sum.Add(sum, power.Mul(power, big.NewInt(unit)))
	}
	wrapped := sum.Mod(sum, big.NewInt(1<<32)).Int64()
	if wrapped >= 1<<31 {
		wrapped -= 1 << 32
	}
	return int(new(big.Int).Abs(big.NewInt(wrapped % 1024)).Int64())
}

func TestSlicesOfRandomIDs(t *testing.T) {
	random := testenv.Rand(t)
	seen := map[int]bool{}
	for range 10_000 {
		id := randomID(random)
		got, want := SliceOf(id), plainSlice(id)
		if got != want || got < 0 || got >= Slices {
			t.Fatalf("SliceOf(%q) = %d, want %d", id, got, want)
		}
		seen[got] = true
	}
	if len(seen) < Slices*9/10 {
		t.Errorf("10,000 ids are in %d slices only", len(seen))
	}
}

// randomID has letters of ASCII, Korean, emoji with their joiners, and anything.
func randomID(random *rand.Rand) string {
	alphabets := [][]rune{[]rune("abcXYZ019|-_. "), []rune("주문서울장바구니가힣ㄱㅎ"), []rune("😀🏳️‍🌈👩‍👩‍👧𐍈🇰🇷"), []rune("éßñ\u00ad\u2028\uffff\ue000")}
	var id strings.Builder
	for range random.IntN(40) {
		alphabet := alphabets[random.IntN(len(alphabets))]
		id.WriteRune(alphabet[random.IntN(len(alphabet))])
	}
	return id.String()
}

func FuzzSlice(f *testing.F) {
	for _, id := range []string{"order|1", "주문|서울-1", "cart|😀", "polygenelubricants", "\xff"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if got, want := SliceOf(id), plainSlice(id); got != want {
			t.Errorf("SliceOf(%q) = %d, want %d", id, got, want)
		}
	})
}

func TestSliceRangesCoverAll(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 3, 4, 7, 64, 1000, 1024, 5000} {
		ranges := SliceRanges(n)
		if want := min(max(n, 1), Slices); len(ranges) != want {
			t.Fatalf("SliceRanges(%d) has %d, want %d", n, len(ranges), want)
		}
		next := 0
		for _, r := range ranges {
			if err := r.Validate(); err != nil || r.Min != next {
				t.Fatalf("SliceRanges(%d): %s after slice %d: %v", n, r, next-1, err)
			}
			if size := r.Max - r.Min + 1; size < Slices/len(ranges) || size > Slices/len(ranges)+1 {
				t.Fatalf("SliceRanges(%d): %s is uneven", n, r)
			}
			next = r.Max + 1
		}
		if next != Slices {
			t.Fatalf("SliceRanges(%d) end at %d", n, next-1)
		}
	}
	if got := fmt.Sprint(SliceRanges(4)); got != "[0-255 256-511 512-767 768-1023]" {
		t.Errorf("four ranges: %s", got)
	}
}

func TestSliceRange(t *testing.T) {
	r := SliceRange{256, 511}
	for slice, want := range map[int]bool{255: false, 256: true, 511: true, 512: false} {
		if r.Contains(slice) != want {
			t.Errorf("%s contains %d: want %v", r, slice, want)
		}
	}
	for other, want := range map[SliceRange]bool{{0, 255}: false, {0, 256}: true, {300, 301}: true, {511, 1023}: true, {512, 1023}: false, AllSlices(): true} {
		if r.Overlaps(other) != want || other.Overlaps(r) != want {
			t.Errorf("%s overlaps %s: want %v", r, other, want)
		}
	}
	for _, wrong := range []SliceRange{{-1, 5}, {5, 4}, {0, 1024}} {
		if wrong.Validate() == nil {
			t.Errorf("%s is valid", wrong)
		}
	}
}

func TestPersistenceID(t *testing.T) {
	tests := []struct{ entityType, id, want string }{
		{"order", "1", "order|1"},
		{"주문", "서울-1", "주문|서울-1"},
		{"order", "a|b", "order|a|b"},
		{"", "1", ""},
		{"order", "", ""},
		{"or|der", "1", ""},
		{"order", "a\x00b", ""},
		{"order", "\xff", ""},
		{"order", strings.Repeat("x", 249), "order|" + strings.Repeat("x", 249)},
		{"order", strings.Repeat("x", 250), ""},
		{"order", strings.Repeat("가", 249), "order|" + strings.Repeat("가", 249)}, // as long as Pekko's column
		{"order", strings.Repeat("가", 250), ""},
	}
	for _, test := range tests {
		got, err := PersistenceID(test.entityType, test.id)
		switch {
		case test.want == "" && !errors.Is(err, ErrPersistenceID):
			t.Errorf("%.20q, %.20q: got %v, want ErrPersistenceID", test.entityType, test.id, err)
		case test.want != "" && (err != nil || got != test.want):
			t.Errorf("%.20q, %.20q: got %.40q, %v", test.entityType, test.id, got, err)
		case test.want != "" && (EntityType(got) != test.entityType || EntityID(got) != test.id):
			t.Errorf("%.40q is of %q, %q", got, EntityType(got), EntityID(got))
		}
	}
	if EntityType("p1") != "" || EntityID("p1") != "p1" || CheckPersistenceID("p1") != nil {
		t.Error("an id without a type has none, and is allowed")
	}
	if err := CheckPersistenceID(""); !errors.Is(err, ErrPersistenceID) {
		t.Errorf("empty: %v", err)
	}
}

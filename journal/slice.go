package journal

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Slices is into how many slices the persistence ids are cut: Pekko's number,
// which cannot change.
const Slices = 1024

// SliceOf is the slice of a persistence id as Pekko computes it: the absolute
// value of Java's String.hashCode, modulo Slices.
func SliceOf(persistenceID string) int {
	var hash int32
	for _, unit := range utf16.Encode([]rune(persistenceID)) {
		hash = 31*hash + int32(unit)
	}
	slice := int(hash) % Slices
	if slice < 0 {
		slice = -slice
	}
	return slice
}

// SliceRange is the slices from Min to Max, both included.
type SliceRange struct{ Min, Max int }

// AllSlices is every slice.
func AllSlices() SliceRange { return SliceRange{0, Slices - 1} }

// SliceRanges cuts the slices into n ranges as even as can be; n is 1 to Slices.
func SliceRanges(n int) []SliceRange {
	n = min(max(n, 1), Slices)
	ranges := make([]SliceRange, n)
	for i := range ranges {
		ranges[i] = SliceRange{i * Slices / n, (i+1)*Slices/n - 1}
	}
	return ranges
}

// Contains says whether a slice is in the range.
func (r SliceRange) Contains(slice int) bool { return r.Min <= slice && slice <= r.Max }

// Overlaps says whether the ranges have a slice in common.
func (r SliceRange) Overlaps(other SliceRange) bool {
	return r.Min <= other.Max && other.Min <= r.Max
}

// String is Pekko's projection key of the range, for example "0-255".
func (r SliceRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

// Validate checks that it is a range of slices.
func (r SliceRange) Validate() error {
	if r.Min < 0 || r.Max >= Slices || r.Min > r.Max {
		return fmt.Errorf("journal: slices %s: want a range within 0-%d", r, Slices-1)
	}
	return nil
}

const separator = "|"

// MaxPersistenceID is the longest persistence id, in characters (code points), as
// Pekko's columns count them.
const MaxPersistenceID = 255

// ErrPersistenceID is wrapped where a persistence id or a part of one is not
// valid.
var ErrPersistenceID = errors.New("journal: invalid persistence id")

// PersistenceID joins an entity type and an entity's own id. The type must not
// contain "|"; neither may be empty.
func PersistenceID(entityType, id string) (string, error) {
	switch {
	case entityType == "" || id == "":
		return "", fmt.Errorf("%w: type %q and id %q must not be empty", ErrPersistenceID, entityType, id)
	case strings.Contains(entityType, separator):
		return "", fmt.Errorf("%w: type %q must not contain %q", ErrPersistenceID, entityType, separator)
	}
	pid := entityType + separator + id
	return pid, CheckPersistenceID(pid)
}

// EntityType is what is before the first "|" of a persistence id, "" without one.
func EntityType(persistenceID string) string {
	entityType, _, found := strings.Cut(persistenceID, separator)
	if !found {
		return ""
	}
	return entityType
}

// EntityID is what is after the first "|", or the whole without one.
func EntityID(persistenceID string) string {
	if _, id, found := strings.Cut(persistenceID, separator); found {
		return id
	}
	return persistenceID
}

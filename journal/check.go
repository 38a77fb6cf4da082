package journal

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CheckPersistenceID reports what keeps a persistence id from being stored. One
// without a type is allowed: Pekko has such.
func CheckPersistenceID(persistenceID string) error {
	switch {
	case persistenceID == "":
		return fmt.Errorf("%w: it is empty", ErrPersistenceID)
	case len(persistenceID) > MaxPersistenceID && utf8.RuneCountInString(persistenceID) > MaxPersistenceID:
		return fmt.Errorf("%w: %.40q… has %d characters, %d are allowed", ErrPersistenceID, persistenceID,
			utf8.RuneCountInString(persistenceID), MaxPersistenceID)
	case !utf8.ValidString(persistenceID) || strings.ContainsRune(persistenceID, 0):
		return fmt.Errorf("%w: %q is not UTF-8 without zero bytes", ErrPersistenceID, persistenceID)
	}
	return nil
}

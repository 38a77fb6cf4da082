package node

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// The coordinators' logs, internal compacted topics of one partition each.
const (
	Offsets  = "__consumer_offsets"
	Txns     = "__transaction_state"
	Security = "__pabal_security" // access rules and credentials; clients do not see it
)

var internalNames = []string{Offsets, Txns, Security}

func internal(name string) bool { return name == Offsets || name == Txns || name == Security }

// maxName is the most bytes of a topic's name, as with Kafka.
const maxName = 249

// ValidName says whether a topic can have a name: 1 to 249 letters, digits, dots, dashes
// and underscores, though not "." or "..".
func ValidName(name string) bool {
	if name == "" || len(name) > maxName || name == "." || name == ".." {
		return false
	}
	for _, c := range []byte(name) {
		ok := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	if !ValidName(name) {
		return fmt.Errorf("%w: a topic's name has 1 to %d letters, digits, dots, dashes and underscores, and is not . or ..", kerr.InvalidTopicException, maxName)
	}
	return nil
}

// metricName is what names of metrics make of a topic's name: two topics that are one
// there may not be, as with Kafka.
func metricName(name string) string { return strings.ReplaceAll(name, ".", "_") }

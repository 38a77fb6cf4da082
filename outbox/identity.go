package outbox

import (
	"errors"
	"fmt"
)

// What keeps a relay from going on by itself: database and Kafka cluster do not
// belong together any more. Publishing could repeat or lose messages, so
// somebody has to choose. Nothing is published meanwhile.
var (
	// ErrOtherCluster: the outbox published to another Kafka cluster.
	ErrOtherCluster = errors.New("outbox: bound to another Kafka cluster; choose: point the relay to that cluster again," +
		" Adopt (go on here with the messages still pending)," +
		" or RepublishSince (Adopt, and publish again what the history holds from a point in time)")
	// ErrOtherDatabase: this is not the database that the outbox was bound in.
	ErrOtherDatabase = errors.New("outbox: this database is a copy or was moved; choose: Adopt where the original is gone" +
		" (go on with the messages still pending), Disown where the original lives and publishes what is pending" +
		" (this copy becomes an outbox of its own, without those), or Renew (the same, but it publishes them too)")
	// ErrDatabaseRestored: the log knows more of the outbox than its database.
	ErrDatabaseRestored = errors.New("outbox: this database is older than the log, restored from a backup;" +
		" choose: Adopt (go on with the messages pending here; those published after the backup was made are published" +
		" again under their ids, consumers with an inbox skip them), or restore a newer state")
	// ErrPositionLost: the log knows less of the outbox than its database.
	ErrPositionLost = errors.New("outbox: the position topic was deleted or set back;" +
		" choose: Adopt (go on with the messages still pending), or restore the topic")
)

// NeedsChoice says whether an error of a relay is one of those above.
func NeedsChoice(err error) bool {
	for _, kind := range []error{ErrOtherCluster, ErrOtherDatabase, ErrDatabaseRestored, ErrPositionLost} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// checkBinding compares an outbox with its surroundings; fresh is true where
// it was never bound.
func checkBinding(id Identity, cluster string) (fresh bool, err error) {
	switch {
	case id.BoundCluster == "" && id.BoundSystem == "":
		return true, nil
	case id.System != "" && id.BoundSystem != "" && id.System != id.BoundSystem:
		return false, fmt.Errorf("%w (bound to database %s, this is %s)", ErrOtherDatabase, id.BoundSystem, id.System)
	case id.BoundCluster != cluster:
		return false, fmt.Errorf("%w (bound to cluster %s, this is %s)", ErrOtherCluster, id.BoundCluster, cluster)
	}
	return false, nil
}

package api

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Services are those that announced themselves.
type Services interface {
	// Services asks all at the same time; one that does not answer has a
	// Problem.
	Services(ctx context.Context) ([]Service, error)
	// At is a service's own API: any instance that answers. ErrNotFound where
	// none announced itself.
	At(ctx context.Context, service string) (admin.API, error)
}

// Service is one instance.
type Service struct {
	Name     string    `json:"name"`
	Instance string    `json:"instance"`
	URL      string    `json:"url"`
	Version  string    `json:"version,omitempty"`
	Seen     time.Time `json:"seen"`
	// Problem says why it could not be asked, such as an address that is not
	// allowed; "" where it could.
	Problem string `json:"problem,omitempty"`
	// Status is nil with a Problem.
	Status *admin.Status `json:"status,omitempty"`
}

// RowQuery selects rows of a service's outbox.
type RowQuery struct {
	Service string `json:"service"`
	outbox.RowQuery
}

// ReplayRows sets FAILED rows back to STARTED: IDs, or All of them.
type ReplayRows struct {
	Service string  `json:"service"`
	IDs     []int64 `json:"ids,omitempty"`
	All     bool    `json:"all,omitempty"`
}

// PauseRelay keeps a service's relay from publishing, or ends that.
type PauseRelay struct {
	Service string `json:"service"`
	Paused  bool   `json:"paused"`
	// Reason is shown to people; required to pause.
	Reason string `json:"reason,omitempty"`
}

// WaitingQuery selects a consumer's waiting messages.
type WaitingQuery struct {
	Service string `json:"service"`
	inbox.WaitingQuery
}

// Release lets a parked key of a consumer go on.
type Release struct {
	Service  string `json:"service"`
	Consumer string `json:"consumer"`
	Topic    string `json:"topic"`
	Key      string `json:"key"`
}

// Count is how many an act touched.
type Count struct {
	Count int64 `json:"count"`
}

// DeadLetters are the messages that were given up, of consumers and of relays.
type DeadLetters interface {
	// Fingerprints groups them: same giver, topic and error but for its figures.
	Fingerprints(ctx context.Context, q FingerprintQuery) (Page[Fingerprint], error)
	// Letters of a fingerprint ("" for all), newest first.
	Letters(ctx context.Context, q LetterQuery) (Page[DeadLetter], error)
	// Letter is one with its message; its id is "topic/partition/offset" of the
	// dead letter.
	Letter(ctx context.Context, id string) (DeadLetter, error)
	// Redrive sends letters again; it returns at once and goes on in the
	// background, also after a restart of the console. With DryRun it only says
	// what it would send.
	Redrive(ctx context.Context, r RedriveRequest) (Redrive, error)
	Redrives(ctx context.Context, q PageQuery) (Page[Redrive], error)
	RedriveByID(ctx context.Context, id string) (Redrive, error)
	// CancelRedrive stops it where it is.
	CancelRedrive(ctx context.Context, id string) (Redrive, error)
}

// FingerprintQuery selects groups of dead letters.
type FingerprintQuery struct {
	PageQuery
	// Closed includes groups without an open letter.
	Closed bool `json:"closed,omitempty"`
}

// Fingerprint is a kind of failure.
type Fingerprint struct {
	ID string `json:"id"`
	// Consumer that gave up, or Outbox (a service) whose relay did.
	Consumer string `json:"consumer,omitempty"`
	Outbox   string `json:"outbox,omitempty"`
	// Topic the messages came from or should have gone to.
	Topic string `json:"topic"`
	// Error of the latest.
	Error string    `json:"error"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Open letters are neither handled nor being sent; Redriven were sent again;
	// Renewed failed again after that.
	Open     int64 `json:"open"`
	Redriven int64 `json:"redriven"`
	Handled  int64 `json:"handled"`
	Renewed  int64 `json:"renewed"`
}

// LetterQuery selects dead letters.
type LetterQuery struct {
	PageQuery
	Fingerprint string `json:"fingerprint,omitempty"`
	// State is "open", "redriven", "handled", "renewed" or "" for all.
	State string `json:"state,omitempty"`
}

// DeadLetter is one message that was given up.
type DeadLetter struct {
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	Consumer    string `json:"consumer,omitempty"`
	Outbox      string `json:"outbox,omitempty"`
	Row         int64  `json:"row,omitempty"`
	// Where the message came from; Offset is -1 for a relay's.
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Error     string    `json:"error"`
	Attempts  int       `json:"attempts"`
	At        time.Time `json:"at"`
	Event     Event     `json:"event"`
	State     string    `json:"state"`
	// Failures counts how often it was given up, the first included.
	Failures int `json:"failures"`
	// Obstacle says why it cannot be sent again, such as a value left out.
	Obstacle string `json:"obstacle,omitempty"`
	// Message is whole with Letter, nil in lists.
	Message *Message `json:"message,omitempty"`
}

// RedriveRequest names letters by id, or all open ones of a fingerprint.
type RedriveRequest struct {
	IDs         []string `json:"ids,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"`
	// PerSecond bounds the rate; 100 where zero.
	PerSecond float64 `json:"perSecond,omitempty"`
	// Value replaces the payload of the one letter named; it keeps its id.
	Value *string `json:"value,omitempty"`
	// StopAfter renewed failures; 0: 10 % of the letters, at least 10.
	StopAfter int  `json:"stopAfter,omitempty"`
	DryRun    bool `json:"dryRun,omitempty"`
	// Reason is kept in the audit log.
	Reason string `json:"reason,omitempty"`
}

// Redrive is a sending-again under way or done.
type Redrive struct {
	ID string `json:"id"`
	// State is "planned" (a dry run), "running", "done", "cancelled" or
	// "stopped" (too many renewed failures, or Problem).
	State   string         `json:"state"`
	Request RedriveRequest `json:"request"`
	User    string         `json:"user"`
	Begun   time.Time      `json:"begun"`
	Ended   time.Time      `json:"ended,omitzero"`
	Total   int64          `json:"total"`
	Sent    int64          `json:"sent"`
	// Skipped could not be sent; see Obstacle of the letters.
	Skipped int64  `json:"skipped"`
	Handled int64  `json:"handled"`
	Renewed int64  `json:"renewed"`
	Problem string `json:"problem,omitempty"`
	// Preview has the first letters of a dry run.
	Preview []DeadLetter `json:"preview,omitempty"`
}

// Audit remembers who did what.
type Audit interface {
	// Record is called before an act, and must not fail silently: an act that
	// cannot be recorded is refused.
	Record(ctx context.Context, e AuditEntry) error
	Entries(ctx context.Context, q PageQuery) (Page[AuditEntry], error)
}

// AuditEntry is one act.
type AuditEntry struct {
	At   time.Time `json:"at"`
	User string    `json:"user"`
	Role Role      `json:"role"`
	From string    `json:"from"` // the client's address
	// Act such as "redrive", Target such as "payment-service", Detail as JSON
	// or text without payloads.
	Act    string `json:"act"`
	Target string `json:"target"`
	Detail string `json:"detail,omitempty"`
	// Outcome is "begun", "done" or an error.
	Outcome string `json:"outcome"`
}

// Overview is the first page.
type Overview struct {
	At          time.Time      `json:"at"`
	Version     string         `json:"version"`
	Cluster     Cluster        `json:"cluster"`
	Broker      *BrokerState   `json:"broker,omitempty"` // where it is in the console's process
	Topics      int64          `json:"topics"`
	Groups      int64          `json:"groups"`
	Services    []Service      `json:"services"`
	DeadLetters int64          `json:"deadLetters"` // open
	Lens        LensState      `json:"lens"`
	Violations  []Violation    `json:"violations"`
	Latest      []TraceSummary `json:"latest"`
	// Review are sagas that wait for a person, the oldest first; at most 20, ReviewMore
	// says that there are others.
	Review     []Saga `json:"review"`
	ReviewMore bool   `json:"reviewMore,omitempty"`
	// Problems are parts that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// Me is who is asking.
type Me struct {
	User string `json:"user"`
	Role Role   `json:"role"`
	// Open says that nobody needs to log in: loopback.
	Open bool `json:"open"`
}

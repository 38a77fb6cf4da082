package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Member is a client in a consumer group that ends in bounded time. Close of a kgo.Client waits for
// the answer of a JoinGroup under way, and the broker gives it when the slowest member of the group
// has joined, too, or is missed: a minute and more.
type Member struct {
	*kgo.Client
	abandon context.CancelFunc // ends whatever the client waits for
	late    bool
}

// NewMember is NewClient for a member of the group that opts name; they do not set a context.
// Leave and Close end it.
func NewMember(c Config, opts ...kgo.Opt) (*Member, error) {
	ctx, abandon := context.WithCancel(context.Background())
	client, err := NewClient(c, append(opts, kgo.WithContext(ctx))...)
	if err != nil {
		abandon()
		return nil, err
	}
	return &Member{Client: client, abandon: abandon}, nil
}

// Leave tells the group, so that the others take over at once; a static member ends without a word.
// It waits for a rebalance under way, and for brokers that are away, until ctx ends: the group misses
// the member after its session's time-out then, and Close waits for nothing.
func (m *Member) Leave(ctx context.Context) error {
	err := m.LeaveGroupContext(ctx)
	m.late = ctx.Err() != nil
	return err
}

// Close ends the client, after Leave, and allows what it held back of a rebalance.
func (m *Member) Close() {
	if m.late {
		m.abandon()
	}
	m.CloseAllowingRebalance()
	m.abandon()
}

package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

func TestErrorsHaveOneStatus(t *testing.T) {
	tests := []struct {
		err          error
		status, exit int
	}{
		{nil, 500, 0},
		{errors.New("surprise"), 500, 1},
		{fmt.Errorf("topic: %w", api.ErrNotFound), 404, 4},
		{api.BadField("limit", "is %d", 0), 400, 2},
		{api.ErrForbidden, 403, 5},
		{api.ErrConflict, 409, 6},
		{api.ErrBusy, 429, 7},
		{fmt.Errorf("%w: %w", api.ErrUnavailable, context.DeadlineExceeded), 503, 7},
		{context.DeadlineExceeded, 503, 7},
		{admin.ErrConflict, 409, 6},
		{admin.ErrDenied, 503, 7}, // the console's token, not the user's
		{&api.Problem{Status: 405}, 400, 2},
		{&api.Problem{Status: 502}, 503, 7},
	}
	for _, test := range tests {
		if status, exit := api.Status(test.err), api.ExitCode(test.err); status != test.status || exit != test.exit {
			t.Errorf("%v: %d and %d, want %d and %d", test.err, status, exit, test.status, test.exit)
		}
	}
}

func TestProblemSaysItOnce(t *testing.T) {
	p := api.ProblemOf(fmt.Errorf("%w: no topic %q", api.ErrNotFound, "a"))
	if p.Detail != `no topic "a"` || p.Title != "Not Found" || p.Type != "urn:pabal:problem:not-found" {
		t.Errorf("%+v", p)
	}
	if p := api.ProblemOf(fmt.Errorf("x: %w", api.BadField("limit", "is bad"))); len(p.Errors) != 1 || p.Errors[0].Field != "limit" {
		t.Errorf("%+v", p)
	}
}

// slowLens does not answer in time.
type slowLens struct{ api.Lens }

func (slowLens) State(ctx context.Context) (api.LensState, error) {
	<-ctx.Done()
	return api.LensState{}, ctx.Err()
}

func (slowLens) Violations(ctx context.Context) ([]api.Violation, error) {
	return make([]api.Violation, 1000), nil
}

func (slowLens) Search(context.Context, api.TraceQuery) (api.Page[api.TraceSummary], error) {
	return api.Page[api.TraceSummary]{}, errors.New("broken")
}

// The engines, but for what the overview does not ask; an embedded interface must not
// have the name of its method.
type (
	groupsRest interface {
		Group(context.Context, string) (api.Group, error)
		Reset(context.Context, api.ResetRequest) (api.ResetPlan, error)
	}
	servicesRest interface {
		At(context.Context, string) (admin.API, error)
	}
)

type groups struct{ groupsRest }

func (groups) Groups(context.Context, api.PageQuery) (api.Page[api.GroupSummary], error) {
	return api.Page[api.GroupSummary]{Total: 8}, nil
}

type services struct{ servicesRest }

func (services) Services(context.Context) ([]api.Service, error) {
	return []api.Service{{Name: "s"}}, nil
}

type letters struct{ api.DeadLetters }

func (letters) Letters(_ context.Context, q api.LetterQuery) (api.Page[api.DeadLetter], error) {
	if q.State != "open" {
		return api.Page[api.DeadLetter]{}, errors.New("closed ones were asked for")
	}
	return api.Page[api.DeadLetter]{Total: 9}, nil
}

// TestOverviewNamesWhatIsMissing: a part that hangs or fails costs the others nothing.
func TestOverviewNamesWhatIsMissing(t *testing.T) {
	begun := time.Now()
	o := api.Engines{Topics: cluster{}, Groups: groups{}, Services: services{}, DeadLetters: letters{}, Lens: slowLens{}, Version: "v"}.Overview(t.Context())
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if o.Cluster.ID != "k" || o.Topics != 7 || o.Groups != 8 || o.DeadLetters != 9 || len(o.Services) != 1 || len(o.Violations) != 50 || !o.ViolationsKnown() {
		t.Errorf("%+v", o)
	}
	if len(o.Problems) != 2 || !strings.HasPrefix(o.Problems[0], "index: no answer within") || o.Problems[1] != "latest transactions: broken" {
		t.Errorf("problems %q", o.Problems)
	}
}

// cluster is api.Topics for the overview.
type cluster struct{ topicsRest }

type topicsRest interface {
	Topic(context.Context, string) (api.Topic, error)
	CreateTopic(context.Context, api.NewTopic) error
	Messages(context.Context, api.MessageQuery) (api.Messages, error)
	Tail(context.Context, api.MessageQuery, func(api.Message) error) error
	Produce(context.Context, api.ProduceRequest) (api.Produced, error)
}

func (cluster) Cluster(context.Context) (api.Cluster, error) { return api.Cluster{ID: "k"}, nil }

func (cluster) Topics(context.Context, api.TopicQuery) (api.Page[api.TopicSummary], error) {
	return api.Page[api.TopicSummary]{Total: 7}, nil
}

package pages_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// changed is a fake whose saga is another one.
func changed(change func(*admin.SagaDetail)) fake {
	return fake{change: func(v reflect.Value) reflect.Value {
		if d, ok := v.Interface().(admin.SagaDetail); ok {
			change(&d)
			return reflect.ValueOf(d)
		}
		return v
	}}
}

// TestSagaPage: what a person can do and read depends on where the saga stands.
func TestSagaPage(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*admin.SagaDetail)
		role   api.Role
		says   []string
		not    []string
	}{
		"needs review": {func(*admin.SagaDetail) {}, api.Operator,
			[]string{"It needs somebody", "Compensation of pay: no account 4711.", "It also waits for", `value="retry"`, `value="resolve"`, "by</span> <strong>ann", "Time-out of attempt 1", "pay (undo failed)", "Hidden from your role: customer"},
			[]string{"refreshes itself</span> ·", "needs the role"}},
		"a viewer": {func(*admin.SagaDetail) {}, api.Viewer, []string{"This needs the role operator", "disabled"}, []string{"data-enable>\n    <input type=\"hidden\" name=\"revision\""}},
		"nobody runs it": {func(d *admin.SagaDetail) { d.Operable = false }, api.Operator,
			[]string{"No process of payment that answers runs this saga"}, []string{`value="retry"`, `value="resolve"`}},
		"watched only": {func(d *admin.SagaDetail) {
			d.Status, d.Reason, d.Entries = saga.Running, "", d.Entries[:1]
			d.Steps = []saga.StepState{{Name: "breakfast", Phase: saga.StepRunning, Since: before(60)}}
		}, api.Operator, []string{"an event of others that answers step breakfast", "deadline of the whole", `value="force"`}, []string{`value="retry"`, "It needs somebody"}},
		"undoes": {func(d *admin.SagaDetail) {
			d.Status, d.Steps[0].Phase, d.Steps[0].Parked = saga.Compensating, saga.StepUndoing, false
		}, api.Operator,
			[]string{"It undoes what was done, because", "the compensation of pay to message refund in topic payments (attempt 5)"}, []string{"It needs somebody"}},
		"ended": {func(d *admin.SagaDetail) { d.Status, d.Ended = saga.Compensated, before(10) }, api.Operator,
			[]string{"Undone, because: compensation of pay: no account 4711.", "took 1 min 20 s"}, []string{`value="retry"`, "so far", "refreshes itself"}},
		"resolved": {func(d *admin.SagaDetail) { d.Status, d.Reason, d.Ended = saga.Resolved, "settled", before(10) }, api.Operator, []string{"A person ended it: settled."}, nil},
		"large": {func(d *admin.SagaDetail) {
			d.State, d.StateSize, d.LeftOut = nil, 3<<20, 17
			for len(d.Entries) <= admin.SagaEntriesBefore {
				d.Entries = append(d.Entries, d.Entries...)
			}
			d.Entries = d.Entries[:admin.SagaEntriesBefore+1]
		}, api.Operator, []string{"3.0 MiB", "17 lines are left out here", `id="line-200"`, `id="line-218"`}, []string{`id="line-201"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(changed(func(d *admin.SagaDetail) {
				d.Steps, d.Entries = append([]saga.StepState{}, d.Steps...), append([]saga.Entry{}, d.Entries...)
				tt.change(d)
			}), "", false, 0)
			_, body := s.page(t, "/sagas/payment/place-order/order%2F1", tt.role, 200)
			for _, text := range tt.says {
				if !strings.Contains(body, text) {
					t.Errorf("it does not say %q", text)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(body, text) {
					t.Errorf("it says %q", text)
				}
			}
			if t.Failed() {
				t.Log(body[strings.Index(body, "<main"):])
			}
		})
	}
}

// TestSagaLists: what is asked for is what the address says.
func TestSagaLists(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/sagas", api.Viewer, 200)
	for _, text := range []string{"1,200", `class="bad-text">1</a>`, `aria-current="page">open</a>`, "after=%7B"} {
		if !strings.Contains(body, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	for _, wrong := range []string{"/sagas?older=soon", "/sagas?older=-1h", "/sagas?after=x", "/sagas?show=LOST"} {
		if w := s.get(wrong, api.Viewer); w.Code != 400 {
			t.Errorf("%s: %d", wrong, w.Code)
		}
	}
}

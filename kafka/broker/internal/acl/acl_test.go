package acl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	topic   = kmsg.ACLResourceTypeTopic
	cluster = kmsg.ACLResourceTypeCluster
	read    = kmsg.ACLOperationRead
	write   = kmsg.ACLOperationWrite
	allow   = kmsg.ACLPermissionTypeAllow
	deny    = kmsg.ACLPermissionTypeDeny
)

var alice = acl.Actor{Principal: "User:alice", Host: "10.0.0.1"}

// rule reads "allow literal t User:alice * Read".
func rule(t testing.TB, s string) kmsg.CreateACLsRequestCreation {
	t.Helper()
	f := strings.Fields(s)
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.Principal, c.Host = topic, f[2], f[3], f[4]
	var errs [3]error
	c.PermissionType, errs[0] = kmsg.ParseACLPermissionType(f[0])
	c.ResourcePatternType, errs[1] = kmsg.ParseACLResourcePatternType(f[1])
	c.Operation, errs[2] = kmsg.ParseACLOperation(f[5])
	for _, err := range errs {
		if err != nil {
			t.Fatal(s, err)
		}
	}
	return c
}

func create(t testing.TB, r *acl.Rules, log *coordtest.Log, rules ...kmsg.CreateACLsRequestCreation) *kmsg.CreateACLsResponse {
	t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = rules
	var answer *kmsg.CreateACLsResponse
	r.Create(req, func(resp *kmsg.CreateACLsResponse) { answer = resp })
	log.Settle()
	if answer == nil {
		t.Fatal("no answer")
	}
	return answer
}

func TestDecisions(t *testing.T) {
	for _, tt := range []struct {
		rules string // separated by commas
		op    kmsg.ACLOperation
		name  string
		want  bool
	}{
		{"", read, "t", false},
		{"allow literal t User:alice * read", read, "t", true},
		{"allow literal t User:alice * read", write, "t", false},
		{"allow literal t User:alice * read", read, "tt", false},
		{"allow literal t User:bob * read", read, "t", false},
		{"allow literal t User:* * read", read, "t", true},
		{"allow literal t Group:* * read", read, "t", false},
		{"allow literal t User:alice 10.0.0.1 read", read, "t", true},
		{"allow literal t User:alice 10.0.0.2 read", read, "t", false},
		{"allow literal * User:alice * read", read, "t", true},
		{"allow prefixed or User:alice * read", read, "orders", true},
		{"allow prefixed orders User:alice * read", read, "orders", true},
		{"allow prefixed orders User:alice * read", read, "order", false},
		{"allow prefixed * User:alice * read", read, "t", false},
		{"allow literal t User:alice * all", write, "t", true},
		{"allow literal * User:alice * all,deny literal t User:alice * write", write, "t", false},
		{"allow literal * User:alice * all,deny literal t User:alice * write", read, "t", true},
		{"allow literal t User:alice * write,deny literal * User:alice * all", write, "t", false},
		{"allow literal t User:alice * write,deny prefixed t User:* * write", write, "t", false},
		{"allow literal t User:alice * write,deny literal t User:alice 10.0.0.2 write", write, "t", true},
		{"allow literal t User:alice * read", kmsg.ACLOperationDescribe, "t", true},
		{"allow literal t User:alice * write", kmsg.ACLOperationDescribe, "t", true},
		{"allow literal t User:alice * delete", kmsg.ACLOperationDescribe, "t", true},
		{"allow literal t User:alice * alter", kmsg.ACLOperationDescribe, "t", true},
		{"allow literal t User:alice * create", kmsg.ACLOperationDescribe, "t", false},
		{"allow literal t User:alice * alter_configs", kmsg.ACLOperationDescribeConfigs, "t", true},
		{"allow literal t User:alice * describe", read, "t", false},
		{"allow literal t User:alice * describe,deny literal t User:alice * read", kmsg.ACLOperationDescribe, "t", true},
	} {
		log := &coordtest.Log{}
		r := acl.New(acl.Config{Log: log})
		for s := range strings.SplitSeq(tt.rules, ",") {
			if s != "" {
				create(t, r, log, rule(t, s))
			}
		}
		if got := r.Allowed(alice, tt.op, topic, tt.name); got != tt.want {
			t.Errorf("%q: %v of %s is %v", tt.rules, tt.op, tt.name, got)
		}
	}
}

func TestSuperUsersAndDefault(t *testing.T) {
	log := &coordtest.Log{}
	r := acl.New(acl.Config{Log: log, SuperUsers: []string{"User:root"}, AllowWithoutRules: true})
	create(t, r, log, rule(t, "deny literal t User:* * all"))
	if !r.Allowed(acl.Actor{Principal: "User:root"}, write, topic, "t") {
		t.Error("a super user is denied")
	}
	if r.Allowed(alice, write, topic, "t") || !r.Allowed(alice, write, topic, "u") || !r.Allowed(alice, write, cluster, acl.ClusterName) {
		t.Error("only what has rules is denied")
	}
}

func TestAllowedOnAny(t *testing.T) {
	for _, tt := range []struct {
		rules        string
		withoutRules bool
		want         bool
	}{
		{"", false, false},
		{"", true, true},
		{"allow literal t User:alice * write", false, true},
		{"allow literal t User:alice * read", false, false},
		{"allow literal t User:alice * write,deny literal t User:alice * write", false, false},
		{"allow literal t User:alice * write,deny prefixed t User:alice * write", false, false},
		{"allow prefixed t User:alice * write,deny literal t User:alice * write", false, true},
		{"allow prefixed t User:alice * write,deny prefixed tt User:alice * write", false, true},
		{"allow literal * User:alice * write,deny prefixed t User:alice * write", false, true},
		{"allow literal * User:alice * write,deny literal * User:alice * write", false, false},
		{"deny literal t User:alice * write", true, true},
		{"deny literal * User:alice * write", true, false},
		{"allow literal * User:bob * write", true, false},
	} {
		log := &coordtest.Log{}
		r := acl.New(acl.Config{Log: log, AllowWithoutRules: tt.withoutRules})
		for s := range strings.SplitSeq(tt.rules, ",") {
			if s != "" {
				create(t, r, log, rule(t, s))
			}
		}
		if got := r.AllowedOnAny(alice, write, topic); got != tt.want {
			t.Errorf("%q, %v: %v", tt.rules, tt.withoutRules, got)
		}
	}
}

func TestBadRulesAreRefused(t *testing.T) {
	log := &coordtest.Log{}
	r := acl.New(acl.Config{Log: log, MaxRules: 1})
	for name, change := range map[string]func(*kmsg.CreateACLsRequestCreation){
		"any type":      func(c *kmsg.CreateACLsRequestCreation) { c.ResourceType = kmsg.ACLResourceTypeAny },
		"strange type":  func(c *kmsg.CreateACLsRequestCreation) { c.ResourceType = 99 },
		"match":         func(c *kmsg.CreateACLsRequestCreation) { c.ResourcePatternType = kmsg.ACLResourcePatternTypeMatch },
		"any operation": func(c *kmsg.CreateACLsRequestCreation) { c.Operation = kmsg.ACLOperationAny },
		"permission":    func(c *kmsg.CreateACLsRequestCreation) { c.PermissionType = kmsg.ACLPermissionTypeAny },
		"name":          func(c *kmsg.CreateACLsRequestCreation) { c.ResourceName = "" },
		"cluster":       func(c *kmsg.CreateACLsRequestCreation) { c.ResourceType = cluster },
		"principal":     func(c *kmsg.CreateACLsRequestCreation) { c.Principal = "alice" },
		"host":          func(c *kmsg.CreateACLsRequestCreation) { c.Host = "" },
		"long":          func(c *kmsg.CreateACLsRequestCreation) { c.ResourceName = strings.Repeat("x", 40_000) },
	} {
		bad := rule(t, "allow literal t User:alice * read")
		change(&bad)
		result := create(t, r, log, bad).Results[0]
		if result.ErrorCode != kerr.InvalidRequest.Code || result.ErrorMessage == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
	good := rule(t, "allow literal t User:alice * read")
	if got := create(t, r, log, good, rule(t, "allow literal u User:alice * read")).Results; got[0].ErrorCode != 0 || got[1].ErrorCode == 0 {
		t.Errorf("one rule is allowed: %+v", got)
	}
}

func filter(change func(*kmsg.DeleteACLsRequestFilter)) kmsg.DeleteACLsRequestFilter {
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	f.Operation, f.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	change(&f)
	return f
}

func describe(r *acl.Rules, f kmsg.DeleteACLsRequestFilter) (found []string, code int16) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourceName, req.ResourcePatternType = f.ResourceType, f.ResourceName, f.ResourcePatternType
	req.Principal, req.Host, req.Operation, req.PermissionType = f.Principal, f.Host, f.Operation, f.PermissionType
	r.Describe(req, func(resp *kmsg.DescribeACLsResponse) {
		code = resp.ErrorCode
		for _, resource := range resp.Resources {
			for _, a := range resource.ACLs {
				found = append(found, fmt.Sprintf("%v:%s:%s", resource.ResourcePatternType, resource.ResourceName, a.Operation))
			}
		}
	})
	return found, code
}

func TestFilters(t *testing.T) {
	log := &coordtest.Log{}
	r := acl.New(acl.Config{Log: log})
	create(t, r, log, rule(t, "allow literal foo User:alice * read"), rule(t, "deny literal * User:bob 1.1.1.1 write"),
		rule(t, "allow prefixed fo User:alice * all"), rule(t, "allow literal bar User:alice * read"), rule(t, "allow literal foo User:alice * read"))
	for _, tt := range []struct {
		change func(*kmsg.DeleteACLsRequestFilter)
		want   string
	}{
		{func(f *kmsg.DeleteACLsRequestFilter) {}, "LITERAL:*:WRITE LITERAL:bar:READ PREFIXED:fo:ALL LITERAL:foo:READ"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.ResourceName = kmsg.StringPtr("foo") }, "LITERAL:foo:READ"},
		{func(f *kmsg.DeleteACLsRequestFilter) {
			f.ResourceName, f.ResourcePatternType = kmsg.StringPtr("foo"), kmsg.ACLResourcePatternTypeMatch
		}, "LITERAL:*:WRITE PREFIXED:fo:ALL LITERAL:foo:READ"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.ResourcePatternType = kmsg.ACLResourcePatternTypePrefixed }, "PREFIXED:fo:ALL"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.Principal = kmsg.StringPtr("User:bob") }, "LITERAL:*:WRITE"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.Host = kmsg.StringPtr("*") }, "LITERAL:bar:READ PREFIXED:fo:ALL LITERAL:foo:READ"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.Operation = read }, "LITERAL:bar:READ LITERAL:foo:READ"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.PermissionType = deny }, "LITERAL:*:WRITE"},
		{func(f *kmsg.DeleteACLsRequestFilter) { f.ResourceType = cluster }, ""},
	} {
		f := filter(tt.change)
		if got, code := describe(r, f); strings.Join(got, " ") != tt.want || code != 0 {
			t.Errorf("%+v: %v (%d), want %s", f, got, code, tt.want)
		}
	}
	if _, code := describe(r, filter(func(f *kmsg.DeleteACLsRequestFilter) { f.Operation = 0 })); code != kerr.InvalidRequest.Code {
		t.Errorf("unknown operation: %d", code)
	}
}

// replayed starts anew from what the log holds.
type replayed struct{ *acl.Rules }

func (r replayed) ACL(rule keylog.ACL, there bool)           { r.Replay(rule, there) }
func (r replayed) SCRAM(keylog.SCRAMKey, *keylog.SCRAMValue) {}

// TestRulesSurvive creates and deletes at random and compares what a start from
// the log, whole or compacted, has.
func TestRulesSurvive(t *testing.T) {
	random := testenv.Rand(t)
	log := &coordtest.Log{}
	r := acl.New(acl.Config{Log: log})
	all := filter(func(*kmsg.DeleteACLsRequestFilter) {})
	for range 300 {
		name := string(rune('a' + random.IntN(5)))
		if random.IntN(3) > 0 {
			create(t, r, log, rule(t, "allow "+[]string{"literal ", "prefixed "}[random.IntN(2)]+name+" User:alice * "+[]string{"read", "write"}[random.IntN(2)]))
		} else {
			req := kmsg.NewPtrDeleteACLsRequest()
			req.Filters = []kmsg.DeleteACLsRequestFilter{filter(func(f *kmsg.DeleteACLsRequestFilter) { f.ResourceName = &name })}
			before, _ := describe(r, req.Filters[0])
			var resp *kmsg.DeleteACLsResponse
			r.Delete(req, func(answer *kmsg.DeleteACLsResponse) { resp = answer })
			log.Settle()
			if len(resp.Results[0].MatchingACLs) != len(before) {
				t.Fatalf("deleted %+v of %v", resp.Results[0], before)
			}
		}
		for _, records := range [][]keylog.Record{log.Records(), keylog.Compact(log.Records(), true)} {
			again := replayed{acl.New(acl.Config{Log: &coordtest.Log{}})}
			for _, record := range records {
				if err := keylog.ReadSecurity(record, again); err != nil {
					t.Fatal(err)
				}
			}
			want, _ := describe(r, all)
			if got, _ := describe(again.Rules, all); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("after a start %v, want %v", got, want)
			}
		}
	}
}

func TestNothingIsConfirmedOnceTheLogFails(t *testing.T) {
	log := &coordtest.Log{Held: true}
	r := acl.New(acl.Config{Log: log})
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = []kmsg.CreateACLsRequestCreation{rule(t, "allow literal t User:alice * read")}
	var code int16
	r.Create(req, func(resp *kmsg.CreateACLsResponse) { code = resp.Results[0].ErrorCode })
	log.Fail(kerr.KafkaStorageError)
	if code != kerr.KafkaStorageError.Code {
		t.Errorf("answered %d", code)
	}
	if _, code := describe(r, filter(func(*kmsg.DeleteACLsRequestFilter) {})); code != kerr.KafkaStorageError.Code {
		t.Errorf("described with %d", code)
	}
}

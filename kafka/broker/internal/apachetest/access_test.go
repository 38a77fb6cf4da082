package apachetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// user may do one thing: an operation on all topics, groups and transactional ids that
// begin with "a-", or on the cluster.
type user struct {
	name string
	kind kmsg.ACLResourceType
	op   kmsg.ACLOperation
}

// users are one for each thing that can be allowed, and one who may do nothing.
func users() []user {
	all := []user{{name: "nobody"}}
	for kind, ops := range map[kmsg.ACLResourceType][]kmsg.ACLOperation{
		kmsg.ACLResourceTypeTopic: {
			kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationCreate, kmsg.ACLOperationDelete, kmsg.ACLOperationAlter,
			kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs, kmsg.ACLOperationAll,
		},
		kmsg.ACLResourceTypeGroup:           {kmsg.ACLOperationRead, kmsg.ACLOperationDelete, kmsg.ACLOperationDescribe},
		kmsg.ACLResourceTypeTransactionalId: {kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe},
		kmsg.ACLResourceTypeCluster: {
			kmsg.ACLOperationCreate, kmsg.ACLOperationAlter, kmsg.ACLOperationDescribe, kmsg.ACLOperationClusterAction,
			kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs, kmsg.ACLOperationIdempotentWrite,
		},
	} {
		for _, op := range ops {
			name := strings.ToLower(fmt.Sprint(kind, "-", op))
			all = append(all, user{strings.ReplaceAll(name, "_", "-"), kind, op})
		}
	}
	return all
}

const superUser = "admin"

func startSecureApache(t *testing.T, users []user) string {
	jaas := `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="admin" user_admin="admin"`
	for _, u := range users {
		jaas += fmt.Sprintf(" user_%s=%q", u.name, u.name)
	}
	return startApache(t,
		"listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
		"sasl.enabled.mechanisms=PLAIN", "sasl.mechanism.inter.broker.protocol=PLAIN",
		"listener.name.client.plain.sasl.jaas.config="+jaas+";",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users=User:admin;User:ANONYMOUS")
}

func startSecureOurs(t *testing.T, users []user) string {
	return startOurs(t, func(c *server.Config) {
		c.ACLs, c.SuperUsers = true, []string{"User:" + superUser}
		c.Passwords = map[string]string{superUser: superUser}
		for _, u := range users {
			c.Passwords[u.name] = u.name
		}
	})
}

func (s *side) login(t testing.TB, user string) *side {
	s.conn.login(t, user, user)
	return s
}

// rules are those of the users.
func rules(users []user) func(*side) kmsg.Request {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, u := range users {
		if u.op == 0 {
			continue
		}
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = u.kind, "a-", kmsg.ACLResourcePatternTypePrefixed
		if u.kind == kmsg.ACLResourceTypeCluster {
			c.ResourceName, c.ResourcePatternType = acl.ClusterName, kmsg.ACLResourcePatternTypeLiteral
		}
		c.Principal, c.Host, c.Operation, c.PermissionType = "User:"+u.name, "*", u.op, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, c)
	}
	return fix(req)
}

// TestAccess has everybody who may do one thing ask for everything.
func TestAccess(t *testing.T) {
	users := users()
	ours, apache := startSecureOurs(t, users), startSecureApache(t, users)
	admins := [2]*side{newSide(t, "ours", ours).login(t, superUser), newSide(t, "apache", apache).login(t, superUser)}
	prepared := []step{{name: "rules", request: rules(users)}, {name: "topics", request: create(false, topic("a-x", 2), topic("b-x", 1))}}
	for _, u := range users {
		prepared = append(prepared, step{name: "topic of " + u.name, request: create(false, topic("a-del-"+u.name, 1), topic("a-id-"+u.name, 1))})
	}
	for _, s := range admins {
		s.warm(t)
	}
	prepared = append(prepared, step{name: "ids", request: metadata(false, "a-x", "b-x")})
	run(t, prepared, true, admins[0], admins[1])
	for _, s := range admins {
		s.awaitRules(t, users)
	}
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			a, b := newSide(t, "ours", ours).login(t, u.name), newSide(t, "apache", apache).login(t, u.name)
			a.topics, b.topics = admins[0].topics, admins[1].topics
			run(t, accessScript(u), true, a, b)
		})
	}
}

// awaitRules waits until a server goes by its rules.
func (s *side) awaitRules(t *testing.T, users []user) {
	var last user
	for _, u := range users {
		if u.op != 0 {
			last = u
		}
	}
	testenv.Wait(t, "the rules of "+s.name, 10*time.Second, func() bool {
		req := kmsg.NewPtrDescribeACLsRequest()
		req.Version, req.ResourceType, req.ResourcePatternType = 3, kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
		req.Operation, req.PermissionType, req.Principal = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny, kmsg.StringPtr("User:"+last.name)
		resp, err := s.conn.ask(req)
		return err == nil && len(resp.(*kmsg.DescribeACLsResponse).Resources) == 1
	})
}

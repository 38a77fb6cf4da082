package apachetest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func describeACLs() kmsg.Request {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType, req.Principal = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny, kmsg.StringPtr("User:none")
	return req
}

func createACL() kmsg.Request {
	req := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, "z", kmsg.ACLResourcePatternTypeLiteral
	c.Principal, c.Host, c.Operation, c.PermissionType = "User:someone", "*", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
	req.Creations = append(req.Creations, c)
	return req
}

func deleteACL() kmsg.Request {
	req := kmsg.NewPtrDeleteACLsRequest()
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourcePatternType = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeAny
	f.Operation, f.PermissionType, f.Principal = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny, kmsg.StringPtr("User:none")
	req.Filters = append(req.Filters, f)
	return req
}

func describeSCRAM() kmsg.Request {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
	u.Name = "nobody-else"
	req.Users = append(req.Users, u)
	return req
}

func deleteSCRAM() kmsg.Request {
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
	d.Name, d.Mechanism = "nobody-else", 1
	req.Deletions = append(req.Deletions, d)
	return req
}

// transactional is a producer that has no epoch, so that nothing is written.
func transactional(request func(*side) kmsg.Request) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		s.producer, s.epoch = 12345, 1
		return request(s)
	}
}

// accessScript asks for everything there is. What is allowed changes nothing, but for
// topics of the user's own.
func accessScript(u user) []step {
	at, user := time.Now(), u.name
	denied := "the error is not that of a user without a name"
	if u.kind == kmsg.ACLResourceTypeCluster && (u.op == kmsg.ACLOperationDescribe || u.op == kmsg.ACLOperationAlter) {
		denied = ""
	}
	return []step{
		{name: "produce", request: produce(-1, "a-x", 0, records(at))},
		{name: "produce elsewhere", request: produce(-1, "b-x", 0, records(at))},
		{name: "produce to an unknown topic", request: produce(-1, "a-none", 0, records(at))},
		{name: "fetch", request: fetch("a-x", 1, 0)},
		{name: "fetch elsewhere", request: fetch("b-x", 0, 0)},
		{name: "list offsets", request: listOffsets("a-x", 1, -1)},
		{name: "list offsets of an unknown topic", request: listOffsets("a-none", 1, -1)},
		{name: "epochs", request: epochEnd("a-x", 1, 0)},
		{name: "delete records", request: deleteRecords("a-x", 1, 0)},
		{name: "delete records of an unknown topic", request: deleteRecords("a-none", 1, 0)},
		{name: "producers", request: describeProducers("a-x", 1)},

		{name: "metadata", request: metadata(false, "a-x", "b-x", "a-none")},
		{name: "metadata by id", request: metadataByID("a-x", "b-x", "other")},
		{name: "cluster", request: clusterOf(1, true)},
		{name: "partitions", request: partitionsOf(100, nil, "a-x", "b-x", "a-none")},
		{name: "coordinators of groups", request: coordinator(0, "a-g", "b-g")},
		{name: "coordinators of transactions", request: coordinator(1, "a-t", "b-t")},

		{name: "create", request: create(true, topic("a-new", 1, with("retention.ms", "1")), topic("b-new", 1))},
		{name: "create what is there", request: create(true, topic("a-x", 1))},
		{name: "grow", request: grow(true, grown("a-x", 3), grown("b-x", 3), grown("a-none", 3))},
		{name: "delete", request: deletion(named("a-del-"+user), named("b-x"), named("a-none"))},
		{name: "know an id", request: metadata(false, "a-id-"+user)},
		{name: "delete by id", request: deletion(withID("a-id-"+user), withID("other"))},
		{name: "describe configs", request: describeConfigs(ofTopic, "a-x", "cleanup.policy")},
		{name: "describe configs elsewhere", request: describeConfigs(ofTopic, "b-x", "cleanup.policy")},
		{name: "describe configs of the broker", request: describeConfigs(ofBroker, "1", "log.cleanup.policy")},
		{name: "alter configs", request: alterConfigs(true, ofTopic, "a-x", "retention.ms", "1000")},
		{name: "alter configs of the broker", request: alterConfigs(true, ofBroker, "1", "log.retention.ms", "1000")},
		{name: "change configs", request: change(true, ofTopic, "a-x", op{"retention.ms", set, "1000"})},
		{name: "change configs of an unknown topic", request: change(true, ofTopic, "a-none", op{"retention.ms", set, "1000"})},
		{name: "change configs of the broker", request: change(true, ofBroker, "1", op{"log.retention.ms", set, "1000"})},
		{name: "folders", request: logDirs("a-x", 0)},
		{name: "elect", request: elect(0, false, "a-x", 0)},
		{name: "reassign", request: reassign("a-x", 0, 1)},
		{name: "reassignments", request: reassignments()},
		{name: "quotas", request: fix(kmsg.NewPtrDescribeClientQuotasRequest())},
		{name: "describe rules", request: fix(describeACLs())},
		{name: "create a rule", request: fix(createACL())},
		{name: "delete rules", request: fix(deleteACL())},
		{name: "describe users", request: fix(describeSCRAM()), differs: denied},
		{name: "delete a user", request: fix(deleteSCRAM())},

		{name: "join", request: join("a-g", "me", 10_000, "range")},
		{name: "sync", request: syncing("a-g", "me", 1)},
		{name: "beat", request: beat("a-g", "me", 1)},
		{name: "leave", request: leave("a-g", "me")},
		{name: "commit", request: commitOf("a-g", "", -1, "a-x", 0, 1)},
		{name: "commit elsewhere", request: commitOf("b-g", "", -1, "b-x", 0, 1)},
		{name: "offsets", request: offsets("a-g", "a-x", 0)},
		{name: "offsets of an unknown topic", request: offsets("a-g", "a-none", 0)},
		{name: "all offsets", request: offsets("a-g", "")},
		{name: "forget", request: forget("a-g", "a-x", 0)},
		{name: "describe groups", request: describeGroups("a-g", "b-g")},
		{name: "list groups", request: listGroups(nil, nil)},
		{name: "delete groups", request: deleteGroups("a-none", "b-g")},

		{name: "a producer", request: initProducer("-", 1000)},
		{name: "a transaction", request: initProducer("a-t", 1000)},
		{name: "a transaction elsewhere", request: initProducer("b-t", 1000)},
		{name: "add partitions", request: transactional(addPartitions("a-t", 0, "a-x", 0))},
		{name: "add partitions elsewhere", request: transactional(addPartitions("a-t", 0, "b-x", 0))},
		{name: "add offsets", request: transactional(addOffsets("a-t", "a-g", 0))},
		{name: "end", request: transactional(end("a-t", true, 0, 0))},
		{name: "commit in a transaction", request: transactional(txnCommit("a-t", "a-g", "a-x", 0))},
		{name: "describe transactions", request: describeTransactions("a-t", "b-t")},
		{name: "list transactions", request: listTransactions(func(_ *side, r *kmsg.ListTransactionsRequest) {})},
		{name: "mark", request: transactional(mark("a-x", 1, 0))},
	}
}

package acl

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Create adds rules, each with an answer of its own, and answers when they are
// durable. A rule that is there already is no error.
func (r *Rules) Create(req *kmsg.CreateACLsRequest, reply func(*kmsg.CreateACLsResponse)) {
	r.core.Do(func() {
		resp := kmsg.NewPtrCreateACLsResponse()
		var records []keylog.Record
		for _, creation := range req.Creations {
			rule := ruleOf(creation)
			result := kmsg.NewCreateACLsResponseResult()
			err := r.check(rule)
			result.ErrorCode, result.ErrorMessage = failure(err)
			if _, there := r.all[rule]; err == nil && !there {
				r.all[rule] = struct{}{}
				records = append(records, keylog.AccessRule(rule, true))
			}
			resp.Results = append(resp.Results, result)
		}
		r.keep(records)
		r.core.Reply(func(failed error) {
			for i := range resp.Results {
				if failed != nil {
					resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage = failure(kerr.KafkaStorageError)
				}
			}
			reply(resp)
		})
	})
}

// keep appends records of rules that changed.
func (r *Rules) keep(records []keylog.Record) {
	if len(records) > 0 {
		r.core.Append(records...)
		r.reindex()
	}
}

func ruleOf(c kmsg.CreateACLsRequestCreation) keylog.ACL {
	return keylog.ACL{
		ResourceType: int8(c.ResourceType), PatternType: int8(c.ResourcePatternType), Operation: int8(c.Operation),
		Permission: int8(c.PermissionType), Name: strings.Clone(c.ResourceName), Principal: strings.Clone(c.Principal), Host: strings.Clone(c.Host),
	}
}

// invalid is a rule or filter that cannot be, and why.
type invalid string

func (e invalid) Error() string { return string(e) }

func (r *Rules) check(rule keylog.ACL) error {
	kind, name, _ := strings.Cut(rule.Principal, ":")
	switch {
	case r.core.Failed() != nil:
		return kerr.KafkaStorageError
	case rule.ResourceType < int8(kmsg.ACLResourceTypeTopic) || rule.ResourceType > int8(kmsg.ACLResourceTypeUser):
		return invalid("a rule needs a type of resource")
	case rule.PatternType != literal && rule.PatternType != prefixed:
		return invalid("the pattern of a rule is literal or prefixed")
	case rule.Operation < int8(kmsg.ACLOperationAll) || rule.Operation > int8(kmsg.ACLOperationDescribeTokens):
		return invalid("a rule needs an operation")
	case rule.Permission != int8(kmsg.ACLPermissionTypeAllow) && rule.Permission != int8(kmsg.ACLPermissionTypeDeny):
		return invalid("a rule allows or denies")
	case rule.Name == "":
		return invalid("a rule needs the name of a resource")
	case rule.ResourceType == int8(kmsg.ACLResourceTypeCluster) && rule.Name != ClusterName:
		return invalid("the only resource of type cluster is " + ClusterName)
	case kind == "" || name == "":
		return invalid("a principal has the form type:name")
	case rule.Host == "":
		return invalid("a rule needs a host, * for any")
	case len(rule.Name) > keylog.MaxString || len(rule.Principal) > keylog.MaxString || len(rule.Host) > keylog.MaxString:
		return invalid("a rule has names of at most 32767 bytes")
	case len(r.all) >= r.config.MaxRules:
		return invalid("there are as many rules as allowed")
	}
	return nil
}

// failure is an error as responses have it.
func failure(err error) (code int16, message *string) {
	if err == nil {
		return 0, nil
	}
	code = kerr.InvalidRequest.Code
	var known *kerr.Error
	if errors.As(err, &known) {
		code = known.Code
	}
	return code, kmsg.StringPtr(err.Error())
}

// Describe lists the rules that a filter matches, by resource.
func (r *Rules) Describe(req *kmsg.DescribeACLsRequest, reply func(*kmsg.DescribeACLsResponse)) {
	r.core.Do(func() {
		resp := kmsg.NewPtrDescribeACLsResponse()
		matching, err := r.matching(kmsg.DeleteACLsRequestFilter{
			ResourceType: req.ResourceType, ResourceName: req.ResourceName, ResourcePatternType: req.ResourcePatternType,
			Principal: req.Principal, Host: req.Host, Operation: req.Operation, PermissionType: req.PermissionType,
		})
		resp.ErrorCode, resp.ErrorMessage = failure(err)
		for _, rule := range matching {
			resp.Resources = addToResource(resp.Resources, rule)
		}
		r.core.Reply(func(failed error) {
			if failed != nil {
				resp = kmsg.NewPtrDescribeACLsResponse()
				resp.ErrorCode, resp.ErrorMessage = failure(kerr.KafkaStorageError)
			}
			reply(resp)
		})
	})
}

// addToResource groups rules that come sorted.
func addToResource(resources []kmsg.DescribeACLsResponseResource, rule keylog.ACL) []kmsg.DescribeACLsResponseResource {
	resource := kmsg.NewDescribeACLsResponseResource()
	resource.ResourceType, resource.ResourceName = kmsg.ACLResourceType(rule.ResourceType), rule.Name
	resource.ResourcePatternType = kmsg.ACLResourcePatternType(rule.PatternType)
	n := len(resources)
	if n == 0 || resources[n-1].ResourceType != resource.ResourceType || resources[n-1].ResourceName != resource.ResourceName ||
		resources[n-1].ResourcePatternType != resource.ResourcePatternType {
		resources = append(resources, resource)
		n++
	}
	one := kmsg.NewDescribeACLsResponseResourceACL()
	one.Principal, one.Host = rule.Principal, rule.Host
	one.Operation, one.PermissionType = kmsg.ACLOperation(rule.Operation), kmsg.ACLPermissionType(rule.Permission)
	resources[n-1].ACLs = append(resources[n-1].ACLs, one)
	return resources
}

// Delete removes the rules that each filter matches, and answers when that is
// durable.
func (r *Rules) Delete(req *kmsg.DeleteACLsRequest, reply func(*kmsg.DeleteACLsResponse)) {
	r.core.Do(func() {
		resp := kmsg.NewPtrDeleteACLsResponse()
		var records []keylog.Record
		for _, filter := range req.Filters {
			result := kmsg.NewDeleteACLsResponseResult()
			matching, err := r.matching(filter)
			result.ErrorCode, result.ErrorMessage = failure(err)
			for _, rule := range matching {
				delete(r.all, rule)
				records = append(records, keylog.AccessRule(rule, false))
				result.MatchingACLs = append(result.MatchingACLs, deleted(rule))
			}
			resp.Results = append(resp.Results, result)
		}
		r.keep(records)
		r.core.Reply(func(failed error) {
			for i := range resp.Results {
				if failed != nil {
					resp.Results[i] = kmsg.NewDeleteACLsResponseResult()
					resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage = failure(kerr.KafkaStorageError)
				}
			}
			reply(resp)
		})
	})
}

func deleted(rule keylog.ACL) kmsg.DeleteACLsResponseResultMatchingACL {
	m := kmsg.NewDeleteACLsResponseResultMatchingACL()
	m.ResourceType, m.ResourceName = kmsg.ACLResourceType(rule.ResourceType), rule.Name
	m.ResourcePatternType = kmsg.ACLResourcePatternType(rule.PatternType)
	m.Principal, m.Host = rule.Principal, rule.Host
	m.Operation, m.PermissionType = kmsg.ACLOperation(rule.Operation), kmsg.ACLPermissionType(rule.Permission)
	return m
}

// matching are the rules that a filter matches, sorted.
func (r *Rules) matching(f kmsg.DeleteACLsRequestFilter) ([]keylog.ACL, error) {
	switch {
	case r.core.Failed() != nil:
		return nil, kerr.KafkaStorageError
	case f.ResourceType < kmsg.ACLResourceTypeAny || f.ResourceType > kmsg.ACLResourceTypeUser:
		return nil, invalid("unknown type of resource in the filter")
	case f.ResourcePatternType < kmsg.ACLResourcePatternTypeAny || f.ResourcePatternType > kmsg.ACLResourcePatternTypePrefixed:
		return nil, invalid("unknown type of pattern in the filter")
	case f.Operation < kmsg.ACLOperationAny || f.Operation > kmsg.ACLOperationDescribeTokens:
		return nil, invalid("unknown operation in the filter")
	case f.PermissionType < kmsg.ACLPermissionTypeAny || f.PermissionType > kmsg.ACLPermissionTypeAllow:
		return nil, invalid("unknown permission in the filter")
	}
	var found []keylog.ACL
	for rule := range maps.Keys(r.all) {
		if matchesResource(f, rule) && matchesEntry(f, rule) {
			found = append(found, rule)
		}
	}
	slices.SortFunc(found, compare)
	return found, nil
}

// matchesResource compares the name as it is, or, for the type "match", finds
// the rules that are for the resource of that name.
func matchesResource(f kmsg.DeleteACLsRequestFilter, rule keylog.ACL) bool {
	match := f.ResourcePatternType == kmsg.ACLResourcePatternTypeMatch
	switch {
	case f.ResourceType != kmsg.ACLResourceTypeAny && int8(f.ResourceType) != rule.ResourceType:
		return false
	case !match && f.ResourcePatternType != kmsg.ACLResourcePatternTypeAny && int8(f.ResourcePatternType) != rule.PatternType:
		return false
	case f.ResourceName == nil || *f.ResourceName == rule.Name:
		return true
	case !match:
		return false
	case rule.PatternType == prefixed:
		return strings.HasPrefix(*f.ResourceName, rule.Name)
	}
	return rule.Name == wildcard
}

func matchesEntry(f kmsg.DeleteACLsRequestFilter, rule keylog.ACL) bool {
	return (f.Principal == nil || *f.Principal == rule.Principal) &&
		(f.Host == nil || *f.Host == rule.Host) &&
		(f.Operation == kmsg.ACLOperationAny || int8(f.Operation) == rule.Operation) &&
		(f.PermissionType == kmsg.ACLPermissionTypeAny || int8(f.PermissionType) == rule.Permission)
}

func compare(a, b keylog.ACL) int {
	return cmp.Or(
		cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Name, b.Name), cmp.Compare(a.PatternType, b.PatternType),
		cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Permission, b.Permission),
	)
}

// Package acl decides who may do what, by rules with the meaning that they have
// for Kafka's authorizer: a rule that denies beats all that allow, and what no
// rule allows is denied.
//
// Rules live in a log, like what the coordinators remember; see package coord.
package acl

import (
	"strings"
	"sync/atomic"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config says how rules are kept and read.
type Config struct {
	Log coord.Log // required
	// SuperUsers may do everything. They are principals, such as "User:admin".
	SuperUsers []string
	// AllowWithoutRules allows what is done to a resource that no rule is for
	// (allow.everyone.if.no.acl.found). Default: it is denied.
	AllowWithoutRules bool
	MaxRules          int // default 10,000; Kafka has no limit
}

// ClusterName is the name of the one resource of type cluster.
const ClusterName = "kafka-cluster"

const wildcard = "*"

// Rules are safe for concurrent use. Replay what the log holds, in order,
// before the first request. Deciding takes no lock.
type Rules struct {
	config Config
	super  map[string]bool
	core   *coord.Core
	all    map[keylog.ACL]struct{}
	index  atomic.Pointer[index]
}

// New makes an empty set of rules.
func New(config Config) *Rules {
	if config.MaxRules <= 0 {
		config.MaxRules = 10_000
	}
	r := &Rules{config: config, super: map[string]bool{}, core: coord.NewCore(config.Log, nil), all: map[keylog.ACL]struct{}{}}
	for _, principal := range config.SuperUsers {
		r.super[principal] = true
	}
	r.index.Store(newIndex(nil))
	return r
}

// Replay takes one entry of the security log.
func (r *Rules) Replay(rule keylog.ACL, there bool) {
	r.core.Do(func() {
		if there {
			r.all[rule] = struct{}{}
		} else {
			delete(r.all, rule)
		}
		r.reindex()
	})
}

func (r *Rules) reindex() { r.index.Store(newIndex(r.all)) }

// Actor is who asks: a principal such as "User:alice", from an IP address.
type Actor struct {
	Principal, Host string
}

// Allowed says whether an actor may do an operation to the resource of a name.
func (r *Rules) Allowed(who Actor, operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) bool {
	if r.super[who.Principal] {
		return true
	}
	found, allowed := false, false
	for rules := range r.index.Load().rulesFor(int8(resource), name) {
		found = true
		for _, rule := range rules {
			if !concerns(rule, who, operation) {
				continue
			}
			if kmsg.ACLPermissionType(rule.Permission) == kmsg.ACLPermissionTypeDeny {
				return false
			}
			allowed = true
		}
	}
	return allowed || !found && r.config.AllowWithoutRules
}

// AllowedOnAny says whether an actor may do an operation to some resource of a
// type, whatever it is called: what an idempotent producer needs is to write to
// any topic. A rule that allows counts unless one that denies covers all of it.
func (r *Rules) AllowedOnAny(who Actor, operation kmsg.ACLOperation, resource kmsg.ACLResourceType) bool {
	if r.super[who.Principal] {
		return true
	}
	var allow, deny []keylog.ACL
	for rule := range r.index.Load().ofType(int8(resource)) {
		switch {
		case !concerns(rule, who, operation):
		case kmsg.ACLPermissionType(rule.Permission) == kmsg.ACLPermissionTypeDeny:
			deny = append(deny, rule)
		default:
			allow = append(allow, rule)
		}
	}
	if r.config.AllowWithoutRules && !r.index.Load().has(int8(resource), wildcard) {
		return true // there is always a name that no rule is for
	}
	for _, rule := range allow {
		if !coveredByAny(rule, deny) {
			return true
		}
	}
	return false
}

func coveredByAny(rule keylog.ACL, deny []keylog.ACL) bool {
	for _, d := range deny {
		if covers(d, rule) {
			return true
		}
	}
	return false
}

// covers says whether every name that rule is for is one that d is for.
func covers(d, rule keylog.ACL) bool {
	switch {
	case d.PatternType == literal && d.Name == wildcard:
		return true
	case rule.PatternType == literal && rule.Name == wildcard:
		return false
	case d.PatternType == prefixed:
		return strings.HasPrefix(rule.Name, d.Name)
	}
	return rule.PatternType == literal && d.Name == rule.Name
}

// concerns says whether a rule is about an actor and an operation. Rules that
// allow certain operations also allow to describe what they are done to.
func concerns(rule keylog.ACL, who Actor, operation kmsg.ACLOperation) bool {
	if rule.Principal != who.Principal && rule.Principal != anyOf(who.Principal) {
		return false
	}
	if rule.Host != who.Host && rule.Host != wildcard {
		return false
	}
	has := kmsg.ACLOperation(rule.Operation)
	if has == operation || has == kmsg.ACLOperationAll {
		return true
	}
	return kmsg.ACLPermissionType(rule.Permission) == kmsg.ACLPermissionTypeAllow && implies(has, operation)
}

// anyOf is the principal that stands for all of the type, such as "User:*".
func anyOf(principal string) string {
	kind, _, _ := strings.Cut(principal, ":")
	return kind + ":" + wildcard
}

func implies(has, operation kmsg.ACLOperation) bool {
	switch operation {
	case kmsg.ACLOperationDescribe:
		return has == kmsg.ACLOperationRead || has == kmsg.ACLOperationWrite ||
			has == kmsg.ACLOperationDelete || has == kmsg.ACLOperationAlter
	case kmsg.ACLOperationDescribeConfigs:
		return has == kmsg.ACLOperationAlterConfigs
	}
	return false
}

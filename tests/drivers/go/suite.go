// The driver suite through the official Go driver: suite URI. One JSON line a case; see ../README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/dbtype"
)

type suite struct {
	ctx    context.Context
	uri    string
	driver neo4j.DriverWithContext
}

type testCase struct {
	name string
	run  func(s *suite) error
}

func (s *suite) query(query string, parameters map[string]any) ([]any, error) {
	session := s.driver.NewSession(s.ctx, neo4j.SessionConfig{})
	defer session.Close(s.ctx)
	result, err := session.Run(s.ctx, query, parameters)
	if err != nil {
		return nil, err
	}
	record, err := result.Single(s.ctx)
	if err != nil {
		return nil, err
	}
	return record.Values, nil
}

func expect(got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func expectCode(err error, code string) error {
	var failure *neo4j.Neo4jError
	if !errors.As(err, &failure) {
		return fmt.Errorf("got %v, want %s", err, code)
	}
	return expect(failure.Code, code)
}

func (s *suite) connect() error {
	if err := s.driver.VerifyConnectivity(s.ctx); err != nil {
		return err
	}
	info, err := s.driver.GetServerInfo(s.ctx)
	if err == nil && !strings.HasPrefix(info.Agent(), "Neo4j/") {
		return fmt.Errorf("agent %s", info.Agent())
	}
	return err
}

func (s *suite) types() error {
	values := []any{nil, true, int64(math.MinInt64), int64(math.MaxInt64), 1.5, math.Inf(1), "text é", []byte{0, 1, 255}, []any{int64(1), nil},
		map[string]any{"a": []any{int64(1)}}, dbtype.Date(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)), dbtype.Duration{Months: 1, Days: 2, Seconds: 3, Nanos: 4},
		dbtype.Point2D{X: 1.5, Y: 2.5, SpatialRefId: 7203}, dbtype.Point3D{X: 1, Y: 2, Z: 3, SpatialRefId: 4979}}
	for _, value := range values {
		got, err := s.query("RETURN $x", map[string]any{"x": value})
		if err != nil {
			return fmt.Errorf("%v: %w", value, err)
		}
		if err := expect(fmt.Sprint(got[0]), fmt.Sprint(value)); err != nil {
			return err
		}
	}
	zoned := time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("Offset", 3600))
	got, err := s.query("RETURN $x", map[string]any{"x": zoned})
	if err == nil && !got[0].(time.Time).Equal(zoned) {
		return fmt.Errorf("%v came back as %v", zoned, got[0])
	}
	return err
}

func (s *suite) graphTypes() error {
	got, err := s.query("CREATE p = (a:DriverTest {n: 1})-[r:REL {w: 2.5}]->(b:DriverTest) RETURN a, r, p", nil)
	if err != nil {
		return err
	}
	node, rel, path := got[0].(dbtype.Node), got[1].(dbtype.Relationship), got[2].(dbtype.Path)
	if node.Labels[0] != "DriverTest" || node.Props["n"] != int64(1) || rel.Type != "REL" || rel.StartElementId != node.ElementId || len(path.Nodes) != 2 {
		return fmt.Errorf("%v %v %v", node, rel, path)
	}
	_, err = neo4j.ExecuteQuery(s.ctx, s.driver, "MATCH (n:DriverTest) DETACH DELETE n", nil, neo4j.EagerResultTransformer)
	return err
}

func (s *suite) autoCommit() error {
	result, err := neo4j.ExecuteQuery(s.ctx, s.driver, "CREATE (n:DriverTest {n: 1}) DELETE n", nil, neo4j.EagerResultTransformer)
	if err != nil {
		return err
	}
	return expect([]int{result.Summary.Counters().NodesCreated(), result.Summary.Counters().NodesDeleted()}, []int{1, 1})
}

func (s *suite) explicit() error {
	session := s.driver.NewSession(s.ctx, neo4j.SessionConfig{})
	defer session.Close(s.ctx)
	tx, err := session.BeginTransaction(s.ctx)
	if err != nil {
		return err
	}
	if _, err = tx.Run(s.ctx, "CREATE (:DriverTest)", nil); err != nil {
		return err
	}
	if err = tx.Rollback(s.ctx); err != nil {
		return err
	}
	got, err := s.query("MATCH (n:DriverTest) RETURN count(n)", nil)
	if err != nil {
		return err
	}
	return expect(got[0], int64(0))
}

func (s *suite) managed() error {
	session := s.driver.NewSession(s.ctx, neo4j.SessionConfig{})
	defer session.Close(s.ctx)
	_, err := session.ExecuteWrite(s.ctx, func(tx neo4j.ManagedTransaction) (any, error) {
		return tx.Run(s.ctx, "CREATE (n:DriverTest) DELETE n", nil)
	})
	if err != nil {
		return err
	}
	_, err = session.ExecuteRead(s.ctx, func(tx neo4j.ManagedTransaction) (any, error) {
		result, err := tx.Run(s.ctx, "CREATE (:DriverTest)", nil)
		if err != nil {
			return nil, err
		}
		return result.Consume(s.ctx)
	})
	return expectCode(err, "Neo.ClientError.Statement.AccessMode")
}

func (s *suite) failure() error {
	for query, code := range map[string]string{"RETURN": "Neo.ClientError.Statement.SyntaxError", "RETURN 1/0": "Neo.ClientError.Statement.ArithmeticError"} {
		_, err := s.query(query, nil)
		if err := expectCode(err, code); err != nil {
			return err
		}
		if _, err := s.query("RETURN 1", nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) fetchSize() error {
	session := s.driver.NewSession(s.ctx, neo4j.SessionConfig{FetchSize: 1})
	defer session.Close(s.ctx)
	result, err := session.Run(s.ctx, "UNWIND range(1, 50) AS x RETURN x", nil)
	if err != nil {
		return err
	}
	records, err := result.Collect(s.ctx)
	if err != nil {
		return err
	}
	return expect(len(records), 50)
}

func (s *suite) large() error {
	got, err := s.query("RETURN size($x)", map[string]any{"x": strings.Repeat("x", 20_000_000)})
	if err != nil {
		return err
	}
	return expect(got[0], int64(20_000_000))
}

func (s *suite) routing() error {
	driver, err := neo4j.NewDriverWithContext(strings.Replace(s.uri, "bolt://", "neo4j://", 1), neo4j.NoAuth())
	if err != nil {
		return err
	}
	defer driver.Close(s.ctx)
	result, err := neo4j.ExecuteQuery(s.ctx, driver, "RETURN 1 AS one", nil, neo4j.EagerResultTransformer)
	if err != nil {
		return err
	}
	return expect(result.Records[0].Values[0], int64(1))
}

func (s *suite) databases() error {
	_, err := neo4j.ExecuteQuery(s.ctx, s.driver, "RETURN 1", nil, neo4j.EagerResultTransformer, neo4j.ExecuteQueryWithDatabase("missing"))
	return expectCode(err, "Neo.ClientError.Database.DatabaseNotFound")
}

var cases = []testCase{
	{"connect", (*suite).connect}, {"types", (*suite).types}, {"graph types", (*suite).graphTypes}, {"auto-commit transaction", (*suite).autoCommit},
	{"explicit transaction", (*suite).explicit}, {"managed transaction", (*suite).managed}, {"failure and recovery", (*suite).failure},
	{"fetch size 1", (*suite).fetchSize}, {"20 MB parameter", (*suite).large}, {"routing scheme", (*suite).routing}, {"database names", (*suite).databases},
}

func print(line map[string]any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func main() {
	s := &suite{ctx: context.Background(), uri: os.Args[1]}
	print(map[string]any{"driver": "Go " + strings.TrimPrefix(neo4j.UserAgent, "Go Driver/")})
	var err error
	if s.driver, err = neo4j.NewDriverWithContext(s.uri, neo4j.NoAuth()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer s.driver.Close(s.ctx)
	for _, one := range cases {
		start := time.Now()
		line := map[string]any{"case": one.name, "ok": true}
		if err := one.run(s); err != nil {
			line["ok"], line["detail"] = false, err.Error()
		}
		line["ms"] = time.Since(start).Milliseconds()
		print(line)
	}
}

// One closed loop of clients over etcd, the replicated register or the database, so that all are measured by the same hand.
//
//	consensus put etcd|register|database ENDPOINTS CLIENTS SECONDS BYTES      a line: operations, per second, p50 ms, p99 ms, errors
//	consensus get database ENDPOINTS CLIENTS SECONDS 0               the same for reads, each client at one of the endpoints
//	consensus gap etcd|register|database ENDPOINTS SECONDS PID                kills PID after two seconds; until the next acknowledged write
//	                                                                 of clients on each endpoint, ms
//	consensus stop ...                                               the same with an orderly stop
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A store takes one write at a time from each of its clients.
type store interface {
	put(key int, value string, timeout time.Duration) error
}

type etcdStore struct{ client *clientv3.Client }

func (s etcdStore) put(key int, value string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, err := s.client.Put(ctx, fmt.Sprintf("k%08d", key), value)
	return err
}

type registerStore struct {
	endpoint string
	conn     net.Conn
	reader   *bufio.Reader
}

func (s *registerStore) put(key int, value string, timeout time.Duration) error {
	if s.conn == nil {
		conn, err := net.DialTimeout("tcp", s.endpoint, timeout)
		if err != nil {
			return err
		}
		s.conn, s.reader = conn, bufio.NewReader(conn)
	}
	s.conn.SetDeadline(time.Now().Add(timeout))
	_, err := fmt.Fprintf(s.conn, "1 w %d %s\n", key, value)
	var line string
	if err == nil {
		line, err = s.reader.ReadString('\n')
	}
	if err != nil {
		s.conn.Close()
		s.conn = nil
		return err
	}
	if line != "1 ok\n" {
		return fmt.Errorf("%s", strings.TrimSpace(line))
	}
	return nil
}

func open(kind, endpoint string, shared map[string]*clientv3.Client) store {
	switch kind {
	case "register":
		return &registerStore{endpoint: endpoint}
	case "database":
		return &boltStore{endpoint: endpoint}
	}
	client := shared[endpoint]
	if client == nil {
		var err error
		client, err = clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 3 * time.Second})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		shared[endpoint] = client
	}
	return etcdStore{client}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return n
}

func loop(kind string, endpoints []string, clients int, seconds time.Duration, once func(s store, key int, timeout time.Duration) error) {
	shared := map[string]*clientv3.Client{}
	latencies := make([][]float64, clients)
	errors := make([]int, clients)
	stores := make([]store, clients)
	for i := range stores {
		stores[i] = open(kind, endpoints[i%len(endpoints)], shared)
		once(stores[i], i, 3*time.Second) // connected
	}
	var done sync.WaitGroup
	begin := time.Now()
	for i := 0; i < clients; i++ {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			random := rand.New(rand.NewSource(int64(i)))
			for time.Since(begin) < seconds {
				at := time.Now()
				if err := once(stores[i], random.Intn(10000), 5*time.Second); err != nil {
					errors[i]++
					continue
				}
				latencies[i] = append(latencies[i], time.Since(at).Seconds()*1000)
			}
		}(i)
	}
	done.Wait()
	elapsed := time.Since(begin).Seconds()
	all, failed := []float64{}, 0
	for i := range latencies {
		all = append(all, latencies[i]...)
		failed += errors[i]
	}
	sort.Float64s(all)
	at := func(p float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(float64(len(all)-1)*p)]
	}
	fmt.Println(len(all), float64(len(all))/elapsed, at(.5), at(.99), failed)
}

func gap(kind string, endpoints []string, seconds time.Duration, pid int, signal syscall.Signal) {
	var lock sync.Mutex
	acknowledged := []time.Time{}
	shared := map[string]*clientv3.Client{}
	var done sync.WaitGroup
	begin := time.Now()
	for i, endpoint := range endpoints {
		s := open(kind, endpoint, shared)
		done.Add(1)
		go func(i int) {
			defer done.Done()
			for time.Since(begin) < seconds {
				if s.put(i, "x", 50*time.Millisecond) != nil {
					time.Sleep(2 * time.Millisecond)
					continue
				}
				lock.Lock()
				acknowledged = append(acknowledged, time.Now())
				lock.Unlock()
			}
		}(i)
	}
	time.Sleep(2 * time.Second)
	killed := time.Now()
	syscall.Kill(pid, signal)
	done.Wait()
	sort.Slice(acknowledged, func(a, b int) bool { return acknowledged[a].Before(acknowledged[b]) })
	next := time.Since(killed).Seconds() * 1000 // at least that, if nothing more was acknowledged
	for _, at := range acknowledged {
		if at.Sub(killed) > 5*time.Millisecond { // what was on its way when the leader died does not count
			next = at.Sub(killed).Seconds() * 1000
			break
		}
	}
	fmt.Println(next)
}

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "see the head of main.go")
		os.Exit(2)
	}
	endpoints := strings.Split(os.Args[3], ",")
	seconds := time.Duration(number(os.Args[5])) * time.Second
	switch {
	case os.Args[1] == "put" && len(os.Args) == 7:
		value := strings.Repeat("x", number(os.Args[6]))
		loop(os.Args[2], endpoints, number(os.Args[4]), seconds, func(s store, key int, timeout time.Duration) error { return s.put(key, value, timeout) })
	case os.Args[1] == "get" && os.Args[2] == "database" && len(os.Args) == 7:
		loop(os.Args[2], endpoints, number(os.Args[4]), seconds, func(s store, key int, timeout time.Duration) error { return s.(*boltStore).get(key, timeout) })
	case os.Args[1] == "gap":
		gap(os.Args[2], endpoints, time.Duration(number(os.Args[4]))*time.Second, number(os.Args[5]), syscall.SIGKILL)
	case os.Args[1] == "stop":
		gap(os.Args[2], endpoints, time.Duration(number(os.Args[4]))*time.Second, number(os.Args[5]), syscall.SIGTERM)
	}
}

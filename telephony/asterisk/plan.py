"""What Asterisk must know, as plain values: the CRM's data goes in, configuration files come out."""

from dataclasses import dataclass, field

#: The CRM's strategy -> Asterisk's, with its effect in words for the page that chooses it.
STRATEGIES: dict[str, tuple[str, str, str]] = {
    "ring_all": ("ringall", "所有空闲座席同时振铃", "All free agents ring at once"),
    "least_recent": ("leastrecent", "最久未接听的座席优先", "The agent who has waited longest since a call rings"),
    "fewest_calls": ("fewestcalls", "接听最少的座席优先", "The agent with the fewest calls rings"),
    "linear": ("linear", "按固定顺序振铃", "Agents ring in their fixed order"),
    "weighted_random": ("wrandom", "按技能权重随机", "A random agent rings, the better skilled more often"),
    "skill_rank": ("rrmemory", "技能等级最高者轮流振铃", "The best skilled free agents ring in turn"),
}


#: Asterisk's names of our queues: `general` by itself would be the file's own section.
QUEUE_PREFIX = "crm-"


def queue_code(asterisk_name: str) -> str:
    """Our code of a queue that Asterisk names; foreign names stay as they are."""
    return asterisk_name.removeprefix(QUEUE_PREFIX)


@dataclass(frozen=True)
class QueuePlan:
    """One queue. Seconds; `max_waiting` 0: no limit; `weight`: higher is served first when agents are shared."""

    code: str
    strategy: str = "least_recent"
    ring_seconds: int = 15
    wrap_up_seconds: int = 10
    max_waiting: int = 0
    max_wait_seconds: int = 0
    weight: int = 0
    target_seconds: int = 20
    #: How often a waiting caller hears that the wait goes on and may end with a callback.
    announce_seconds: int = 30

    @property
    def name(self) -> str:
        """Its name in Asterisk."""
        return QUEUE_PREFIX + self.code


@dataclass(frozen=True)
class AgentPlan:
    """One agent's endpoint: SIP over UDP, or WebRTC. `queues`: (queue code, skill rank; 1 is best).

    Who `signs_in` becomes a member of the queues by the CRM's word, and stays one over restarts; others always are.
    """

    code: str
    secret: str
    name: str = ""
    is_webrtc: bool = False
    signs_in: bool = False
    queues: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Ports:
    """Where the PBX listens on `host`; the manager interface on `manager_host`, if that is another."""

    host: str = "127.0.0.1"
    manager_host: str = ""
    sip: int = 5060
    manager: int = 5038
    http: int = 8088
    rtp_first: int = 10000
    rtp_last: int = 10999
    agi_host: str = "127.0.0.1"
    agi: int = 4573


@dataclass(frozen=True)
class PbxPlan:
    """Everything that the files are rendered from."""

    manager_user: str
    manager_secret: str
    #: Network whose addresses may use the manager interface, and its mask; empty: the PBX's own address only.
    manager_from: str = ""
    manager_mask: str = "255.255.255.255"
    ports: Ports = field(default_factory=Ports)
    service_number: str = "96766"
    #: Address of the carrier's gateway; calls from elsewhere need an agent's secret.
    trunk_host: str = "127.0.0.1"
    trunk_port: int = 5060
    queues: tuple[QueuePlan, ...] = ()
    agents: tuple[AgentPlan, ...] = ()
    default_queue: str = "general"
    record: bool = True
    ivr_enabled: bool = False
    #: Its calls are taken as faxes; empty: none are.
    fax_number: str = ""
    #: A customer whom the dialler called waits no longer than this for an agent.
    outbound_wait_seconds: int = 20

"""The demo's invented projects, on real networks and with the names of real templates."""

from dataclasses import dataclass

PRODUCTION, STAGING, PREVIEW = "production", "staging", "preview"
GATEWAY = "gateway"  # the project that gets the API calls of the gateway itself
METIS, HYPERION, ARBITRUM = "metis", "hyperion", "arbitrum"


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A project; its weight is its share of the deployments, relative to the others."""

    slug: str
    name: str
    network: str
    template: str
    framework: str
    weight: float


@dataclass(frozen=True, slots=True)
class DemoFunction:
    """A function of a project; its weight is its share of the invocations."""

    project: str
    name: str
    runtime: str
    median_ms: float
    init_ms: float  # the median of its cold starts
    memory_mib: int
    weight: float
    error: str


@dataclass(frozen=True, slots=True)
class DemoEndpoint:
    """An endpoint of a project's API; its weight is its share of the calls."""

    project: str
    method: str
    path: str
    status: int  # of calls that succeed
    median_ms: float
    response_bytes: int
    weight: float


@dataclass(frozen=True, slots=True)
class DemoModel:
    """What a project calls a language model for; its weight is its share of the calls."""

    project: str
    model: str
    task: str
    median_ms: float
    input_tokens: int
    output_tokens: int
    accepted: float  # the share of the answers about which somebody decides
    weight: float


# Titles and chain ids by name. Hyperion is in no public list of chains, so it has no chain id.
NETWORKS: dict[str, tuple[str, int | None]] = {
    METIS: ("Metis Andromeda", 1088),
    HYPERION: ("Hyperion", None),
    "ethereum": ("Ethereum Mainnet", 1),
    ARBITRUM: ("Arbitrum One", 42161),
    "optimism": ("OP Mainnet", 10),
}

PROJECTS = (
    DemoProject("storefront", "Storefront", METIS, "evershop", "nextjs", 10),
    DemoProject("checkout", "Checkout", METIS, "ghost", "nextjs", 8),
    DemoProject("wallet-web", "Wallet Web", HYPERION, "dashy", "react", 9),
    DemoProject("bridge-ui", "Bridge UI", HYPERION, "umami", "vue", 7),
    DemoProject("staking-portal", "Staking Portal", METIS, "directus", "nextjs", 6),
    DemoProject("governance", "Governance", METIS, "discourse", "svelte", 4),
    DemoProject("explorer", "Explorer", HYPERION, "dashy", "nextjs", 6),
    DemoProject("faucet", "Faucet", HYPERION, "pocketbase", "astro", 3),
    DemoProject("docs-site", "Documentation", METIS, "docmost", "astro", 5),
    DemoProject("landing", "Landing Pages", METIS, "wordpress", "astro", 4),
    DemoProject("nft-gallery", "NFT Gallery", HYPERION, "immich", "react", 4),
    DemoProject("price-oracle", "Price Oracle", HYPERION, "timescaledb", "express", 4),
    DemoProject("indexer", "Chain Indexer", METIS, "clickhouse", "express", 5),
    DemoProject("notifications", "Notifications", METIS, "ntfy", "fastapi", 3),
    DemoProject("support-desk", "Support Desk", METIS, "chatwoot", "vue", 2),
    DemoProject("analytics-board", "Analytics Board", HYPERION, "metabase", "react", 3),
    DemoProject("identity", "Identity", "ethereum", "keycloak", "fastapi", 3),
    DemoProject("audit-log", "Audit Log", "ethereum", "victoriametrics", "fastapi", 2),
    DemoProject("dex-router", "DEX Router", ARBITRUM, "rabbitmq", "express", 4),
    DemoProject("liquidity-bot", "Liquidity Bot", ARBITRUM, "n8n", "fastapi", 3),
    DemoProject("lending-app", "Lending App", ARBITRUM, "strapi", "nextjs", 3),
    DemoProject("quests", "Quests", "optimism", "nocodb", "svelte", 2),
    DemoProject("leaderboard", "Leaderboard", "optimism", "grafana", "svelte", 2),
    DemoProject("assistant", "Assistant", HYPERION, "flowise", "fastapi", 3),
    DemoProject("legacy-portal", "Legacy Portal", METIS, "joomla", "express", 5),
)

TEMPLATES = {
    "appwrite": "Appwrite",
    "calcom": "Cal.com",
    "chatwoot": "Chatwoot",
    "clickhouse": "ClickHouse",
    "dashy": "Dashy",
    "directus": "Directus",
    "discourse": "Discourse",
    "docmost": "Docmost",
    "evershop": "EverShop",
    "flowise": "Flowise",
    "ghost": "Ghost",
    "gitea-sqlite": "Gitea",
    "grafana": "Grafana",
    "immich": "Immich",
    "joomla": "Joomla",
    "keycloak": "Keycloak",
    "metabase": "Metabase",
    "minio": "MinIO",
    "n8n": "n8n",
    "nocodb": "NocoDB",
    "ntfy": "ntfy",
    "open-webui": "Open WebUI",
    "pocketbase": "PocketBase",
    "rabbitmq": "RabbitMQ",
    "strapi": "Strapi",
    "supabase": "Supabase",
    "timescaledb": "TimescaleDB",
    "umami": "Umami",
    "uptime-kuma": "Uptime Kuma",
    "victoriametrics": "VictoriaMetrics",
    "wordpress": "WordPress",
}

# The median duration of each framework's deployments.
MEDIAN_SECONDS = {
    "nextjs": 95.0,
    "react": 70.0,
    "vue": 65.0,
    "svelte": 45.0,
    "astro": 38.0,
    "express": 52.0,
    "fastapi": 60.0,
}

PEOPLE = ("ada", "grace", "alan", "barbara", "edsger", "katherine", "linus", "margaret", "tim")

ERRORS = (
    "Health check timed out after 60 s",
    "Container exited with code 137",
    "Migration failed: lock not available",
    "Contract verification failed",
)
UNFIT_ERROR = "Image has no manifest for linux/arm64"
OUTAGE_ERROR = "RPC endpoint of hyperion does not answer"
FAILING_ERROR = "Sequencer of arbitrum refuses transactions"
BUILD_ERRORS = (
    "Build failed: exit code 1",
    "Build failed: out of memory",
    "Package not found in the registry",
    "Type check failed",
)

_NODE, _PYTHON = "nodejs22", "python3.13"
FUNCTIONS = (
    DemoFunction("storefront", "api-checkout", _NODE, 180, 260, 256, 10, "Cart has no total"),
    DemoFunction("storefront", "render-page", _NODE, 85, 240, 192, 9, "Template not found"),
    DemoFunction("nft-gallery", "resize-image", _NODE, 640, 420, 512, 6, "Image is not readable"),
    DemoFunction("nft-gallery", "index-metadata", _PYTHON, 1400, 700, 384, 2, "Gateway timed out"),
    DemoFunction("notifications", "send-email", _PYTHON, 320, 500, 128, 5, "Mailbox is full"),
    DemoFunction("notifications", "send-push", _PYTHON, 140, 480, 128, 4, "Device is unknown"),
    DemoFunction("price-oracle", "update-prices", _NODE, 260, 250, 192, 6, "Exchange is away"),
    DemoFunction("assistant", "chat-reply", _PYTHON, 2600, 900, 1024, 3, "Model is overloaded"),
)
REGIONS = {"eu-central": 6, "us-east": 4, "ap-southeast": 2}

ENDPOINTS = (
    DemoEndpoint("storefront", "GET", "/products", 200, 45, 18_000, 9),
    DemoEndpoint("storefront", "GET", "/products/{id}", 200, 22, 4_000, 12),
    DemoEndpoint("storefront", "POST", "/carts/{id}/items", 201, 60, 900, 5),
    DemoEndpoint("storefront", "POST", "/orders", 201, 190, 1_200, 2),
    DemoEndpoint("wallet-web", "GET", "/accounts/{address}", 200, 30, 2_500, 8),
    DemoEndpoint("wallet-web", "POST", "/transactions", 202, 140, 600, 3),
    DemoEndpoint("price-oracle", "GET", "/prices/{pair}", 200, 12, 300, 14),
    DemoEndpoint("price-oracle", "GET", "/prices/{pair}/history", 200, 95, 40_000, 4),
    DemoEndpoint("dex-router", "POST", "/quotes", 200, 75, 1_500, 6),
    DemoEndpoint("dex-router", "POST", "/swaps", 202, 210, 800, 2),
)

MODELS = (
    DemoModel("assistant", "llama-3.3-70b", "answer", 2400, 1800, 320, 0.82, 10),
    DemoModel("assistant", "llama-3.1-8b", "title", 350, 400, 12, 0.95, 4),
    DemoModel("support-desk", "mistral-small", "summary", 1300, 2600, 180, 0.88, 6),
    DemoModel("support-desk", "mistral-small", "reply", 1900, 1500, 260, 0.74, 5),
    DemoModel("governance", "qwen2.5-coder-32b", "contract-review", 5200, 6400, 700, 0.69, 2),
)

# What one project's samples are of: its hosts, the weights of what users do, the users of each
# plan, what resources cost a day, and each plan's share of that.
HOSTS = ("node-1", "node-2")
ACTIONS = {"view": 12, "sign-in": 5, "sign-up": 2}
FEATURES = {"search": 10, "export": 3, "price-alerts": 5}
PLANS = {"free": 5_200, "pro": 640, "enterprise": 18}
RESOURCES = {"compute": 182.5, "storage": 41.2, "network": 23.75}
COST_SHARES = {"free": 0.2, "pro": 0.35, "enterprise": 0.45}
